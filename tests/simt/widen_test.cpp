// kernels/cuda/widen.cu where a launch has fewer threads than elements; the rest is seen through the op
// suite.

#include "kernels/cuda/widen.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "engine/core/dtype.h"

namespace xf::test {
namespace {

// Whole numbers up to 256, which bf16 holds.
float number(int64_t i) { return static_cast<float>(i % 251); }

}  // namespace

TEST_CASE("widened and narrowed: more elements than a launch has threads") {
  constexpr int64_t kThreads = int64_t{4096} * 256;
  for (const int64_t count : {kThreads + 77, 4 * kThreads + 8}) {  // one by one, and in vectors
    CAPTURE(count);
    std::vector<bfloat16> small(static_cast<size_t>(count));
    std::vector<float> wide(static_cast<size_t>(count), -1.0F);
    for (int64_t i = 0; i < count; ++i) small[static_cast<size_t>(i)] = bfloat16(number(i));
    REQUIRE(cuda::widen(small.data(), DType::bf16, wide.data(), count, nullptr) == 0);
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; ++i) wrong += wide[static_cast<size_t>(i)] == number(i) ? 0 : 1;
    CHECK(wrong == 0);

    std::vector<bfloat16> back(static_cast<size_t>(count));
    REQUIRE(cuda::narrow({wide.data(), nullptr, back.data(), DType::bf16, count, 1, Activation::none},
                         nullptr) == 0);
    for (int64_t i = 0; i < count; ++i)
      wrong += static_cast<float>(back[static_cast<size_t>(i)]) == number(i) ? 0 : 1;
    CHECK(wrong == 0);
  }
}

}  // namespace xf::test
