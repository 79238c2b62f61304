#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/lowered.h"

using xf::Activation;
using xf::BnAct;
using xf::DType;
using xf::Spec;
using xf::test::Lowered;
using xf::test::same_bytes;

namespace {

const Spec kAbsent{{0, 0, 0, 0}, DType::f32};

BnAct batch_relu() {
  BnAct bn;
  bn.act = Activation::relu;
  return bn;
}

}  // namespace

TEST_CASE("the sign that x and beta tell is the output's") {
  const Spec stat{xf::vector_shape(37), DType::f32};
  for (const DType type : {DType::f32, DType::bf16}) {
    const Spec x{{3, 29, 17, 37}, type};
    Lowered forward(batch_relu(), {x, stat, stat, stat, stat, kAbsent});
    const auto out = forward.run();
    Lowered by_y(xf::BnActBwd{batch_relu()}, {x, x, x, stat, stat, stat, kAbsent});
    Lowered by_x(xf::BnActBwd{batch_relu()}, {x, x, kAbsent, stat, stat, stat, stat});
    for (Lowered* backward : {&by_y, &by_x}) {
      backward->input(1) = forward.input(0).clone();
      backward->input(3) = forward.input(1).clone();
      backward->input(4) = out[1].clone();
      backward->input(5) = out[2].clone();
    }
    by_y.input(2) = out[0].clone();
    by_x.input(6) = forward.input(2).clone();
    const auto expected = by_y.run(), got = by_x.run();
    for (size_t o = 0; o < got.size(); ++o) CHECK(same_bytes(got[o], expected[o]));
  }
}

TEST_CASE("statistics stay accurate where the mean is far larger than the deviation") {
  constexpr int64_t kC = 19;
  const Spec x{{4, 61, 67, kC}, DType::f32}, stat{xf::vector_shape(kC), DType::f32};
  BnAct bn;
  bn.eps = 0;
  Lowered kernel(bn, {x, kAbsent, stat, stat, stat, kAbsent});
  auto values = kernel.input(0).as<float>();
  for (float& v : values) v = 4096 + v;
  const auto out = kernel.run();
  const auto rows = static_cast<double>(x.shape.rows());
  for (int64_t c = 0; c < kC; ++c) {
    double mean = 0, square = 0;
    for (size_t i = static_cast<size_t>(c); i < values.size(); i += kC)
      mean += static_cast<double>(values[i]) / rows;
    for (size_t i = static_cast<size_t>(c); i < values.size(); i += kC)
      square += (static_cast<double>(values[i]) - mean) * (static_cast<double>(values[i]) - mean) / rows;
    const auto at = static_cast<size_t>(c);
    // The mean is rounded once to f32. Deviations are below 2 around the block's first row: f32 sums over the
    // at most 512 rows of a block err by 2^-24 * 512 relative at the worst; blocks are joined in f64.
    CHECK(std::abs(out[1].as<float>()[at] - mean) <= 4096 * 0x1p-24 + 2 * 512 * 0x1p-24);
    CHECK(out[2].as<float>()[at] == doctest::Approx(1 / std::sqrt(square)).epsilon(8 * 512 * 0x1p-24));
  }
}

TEST_CASE("an output larger than the caches is the same as one written in place") {
  const Spec x{{2, 257, 257, 64}, DType::f32}, stat{xf::vector_shape(64), DType::f32};
  REQUIRE(x.bytes() > size_t{32} << 20);
  Lowered kernel(batch_relu(), {x, stat, stat, stat, stat, kAbsent});
  const auto apart = kernel.run(), in_place = kernel.run({{}, {{0, 0}}, {}});
  CHECK(same_bytes(apart[0], in_place[0]));
}
