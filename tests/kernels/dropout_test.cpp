#include <doctest/doctest.h>

#include <cmath>

#include "engine/core/rng.h"
#include "tests/kernels/lowered.h"

using xf::DType;
using xf::test::Lowered;

namespace {

constexpr float kRate = 0.3F;
constexpr uint32_t kStream = 5;
const xf::Shape kShape{7, 3, 1, 1021};

std::vector<float> drop(uint32_t counter) {
  Lowered kernel(xf::Dropout{kRate, kStream},
                 {{xf::vector_shape(sizeof(xf::StepParams)), DType::u8}, {kShape}});
  xf::StepParams step;
  step.seed = 1234567890123ULL;
  step.counter = counter;
  std::memcpy(kernel.input(0).data(), &step, sizeof step);
  for (float& x : kernel.input(1).as<float>()) x = 2;
  const auto outputs = kernel.run();
  const auto y = outputs[0].as<float>();
  return {y.begin(), y.end()};
}

}  // namespace

TEST_CASE("dropout keeps the elements that the counter-based numbers say") {
  const std::vector<float> y = drop(9);
  bool as_defined = true;
  for (size_t i = 0; i < y.size(); ++i) {
    const xf::Philox4 random = xf::philox(1234567890123ULL, uint64_t{kStream} << 32 | 9U, i / 4);
    const float expected = xf::unit_float(random.v[i % 4]) >= kRate ? 2.0F / (1.0F - kRate) : 0.0F;
    as_defined = as_defined && y[i] == expected;
  }
  CHECK(as_defined);
}

TEST_CASE("dropout keeps the share it should, and others in the next step") {
  const std::vector<float> a = drop(1), b = drop(2);
  double kept = 0, both = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    kept += a[i] != 0 ? 1 : 0;
    both += a[i] != 0 && b[i] != 0 ? 1 : 0;
  }
  const auto n = static_cast<double>(a.size());
  const double p = 1 - kRate, p2 = p * p;
  CHECK(std::abs(kept / n - p) < 5 * std::sqrt(p * (1 - p) / n));  // 5 standard errors
  CHECK(std::abs(both / n - p2) < 5 * std::sqrt(p2 * (1 - p2) / n));
}
