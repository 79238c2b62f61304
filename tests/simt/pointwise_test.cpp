// What the op suite's arrangements do not show of pointwise.cu, widen.cu, normalize.cu and channels.cu.

#include "kernels/cuda/pointwise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kernels/cuda/channels.h"
#include "kernels/cuda/normalize.h"
#include "kernels/cuda/widen.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {

TEST_CASE_TEMPLATE("a NaN stays a NaN, and as a sign lets nothing pass", T, float, bfloat16, float16) {
  Guarded<T> x(16), y(16), dx(16);
  for (int64_t i = 0; i < 16; ++i) x.set(0, i, T(i == 3 ? NAN : static_cast<float>(i) - 8));
  const cuda::Extent extent{1, 16};
  REQUIRE(cuda::relu(extent, dtype_of<T>::value, {x.data(), 16}, {y.data(), 16}, nullptr) == 0);
  CHECK(std::isnan(static_cast<float>(y.get(0, 3))));
  CHECK(static_cast<float>(y.get(0, 2)) == 0);
  REQUIRE(cuda::relu_bwd(extent, dtype_of<T>::value, {x.data(), 16}, {y.data(), 16}, {dx.data(), 16},
                         nullptr) == 0);
  CHECK(static_cast<float>(dx.get(0, 3)) == 0);
  CHECK(static_cast<float>(dx.get(0, 9)) == 1);
}

TEST_CASE_TEMPLATE("a bias counts for its channel, on a vector and beside one", T, float, bfloat16, float16) {
  constexpr DType kType = dtype_of<T>::value;
  for (const int channels : {16, 6}) {  // of 6, narrow's vectors go on from one row to the next
    for (const int64_t offset : {0, 1}) {
      CAPTURE(channels);
      CAPTURE(offset);
      Guarded<T> x(4, channels, channels), y(4, channels, channels), narrowed(4, channels, channels);
      Guarded<float> from(4, channels, channels), bias(1, channels, channels, offset);
      for (int64_t c = 0; c < channels; ++c) {
        bias.set(0, c, static_cast<float>(c) / 8);
        for (int64_t r = 0; r < 4; ++r) {
          from.set(r, c, static_cast<float>(4 * r - c));
          x.set(r, c, T(from.get(r, c)));
        }
      }
      REQUIRE(cuda::add_bias({4, channels}, kType, {x.data(), channels}, bias.data(), {y.data(), channels},
                             nullptr) == 0);
      REQUIRE(cuda::narrow({from.data(), bias.data(), narrowed.data(), kType, 4, channels, Activation::none},
                           nullptr) == 0);
      for (int64_t r = 0; r < 4; ++r) {
        for (int64_t c = 0; c < channels; ++c) {  // the sums are exact in every type
          CHECK(static_cast<float>(y.get(r, c)) == from.get(r, c) + bias.get(0, c));
          CHECK(static_cast<float>(narrowed.get(r, c)) == from.get(r, c) + bias.get(0, c));
        }
      }
    }
  }
}

TEST_CASE("a sum of as many terms as there may be") {
  constexpr int64_t kCount = 37;
  std::vector<Guarded<float>> terms;
  for (int i = 0; i < cuda::kMostTerms; ++i) {
    terms.emplace_back(kCount);
    for (int64_t c = 0; c < kCount; ++c)
      terms.back().set(0, c, std::ldexp(1.0F, i % 20) + static_cast<float>(c));
  }
  std::vector<cuda::RowsIn> rows(terms.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = {terms[i].data(), kCount};
  Guarded<float> y(kCount);
  REQUIRE(cuda::add({1, kCount}, DType::f32, rows, {y.data(), kCount}, nullptr) == 0);
  for (int64_t c = 0; c < kCount; ++c) {
    float sum = terms[0].get(0, c);
    for (size_t i = 1; i < terms.size(); ++i) sum += terms[i].get(0, c);
    CHECK(y.get(0, c) == sum);
  }
}

TEST_CASE("channels are copied bit for bit, in elements of every size") {
  const auto copy = [](auto zero, int64_t gap) {
    using T = decltype(zero);
    Guarded<T> x(9, 48, 48 + gap), y(9, 48, 64);
    for (int64_t r = 0; r < 9; ++r)
      for (int64_t c = 0; c < 48; ++c)
        x.set(r, c, static_cast<T>(0xffffff85U - r * 48 - c));  // NaNs among them
    REQUIRE(cuda::copy_channels({9, 48}, sizeof(T), {x.data(), 48 + gap}, {y.data(), 64}, nullptr) == 0);
    CHECK(x == y);
    CHECK(y.intact());
  };
  for (const int64_t gap : {0, 16, 3}) {
    copy(uint8_t{}, gap);
    copy(uint16_t{}, gap);
    copy(uint32_t{}, gap);
  }
}

TEST_CASE("images on a vector and beside one come out the same") {
  const Normalize op{ChannelOrder::bgr, {0.5F, 0.25F, 2, 1}, {1, 2, 3, 4}, 8, DType::bf16};
  in_every_order([&] {
    for (const int64_t pixels : {1, 511, 512, 513, 1300}) {
      for (const int64_t offset : {0, 1}) {
        Guarded<uint8_t> x(1, 3 * pixels, 3 * pixels, offset);
        Guarded<bfloat16> y(1, 8 * pixels, 8 * pixels, offset);
        for (int64_t i = 0; i < 3 * pixels; ++i) x.set(0, i, static_cast<uint8_t>(i * 7));
        REQUIRE(cuda::normalize({pixels, 3, DType::u8, x.data(), y.data()}, op, nullptr) == 0);
        int64_t wrong = 0;
        for (int64_t i = 0; i < 8 * pixels; ++i) {
          const int64_t p = i / 8, c = i % 8;
          const auto k = static_cast<size_t>(c);
          const float expected =
              c < 3 ? static_cast<float>(x.get(0, 3 * p + 2 - c)) * op.scale[k] + op.shift[k] : 0;
          wrong += y.get(0, i).bits == bfloat16(expected).bits ? 0 : 1;  // the numbers are exact in f32
        }
        CHECK(wrong == 0);
        CHECK(y.intact());
      }
    }
  });
}

}  // namespace xf::test
