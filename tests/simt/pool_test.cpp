// kernels/cuda/{pool,pool_bwd,global_avg_pool}.cu on slices of wider tensors, which may begin on whole
// vectors or not: the same bits as without gaps. What they compute is the op suite's to check.

#include "kernels/cuda/pool.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "engine/core/rng.h"
#include "kernels/cuda/global_avg_pool.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

/// Elements between the rows of a slice, and before the first.
struct Place {
  int64_t gap, offset;
};

/// Places of matrices of one width.
struct Places {
  int channels;
  std::array<Place, 4> all;
};

// Of whole vectors in every type: rows that begin on vectors, rows that begin between them, and a first row
// that does. Of 5 channels: rows on vectors that the channels do not fill.
constexpr std::array<Places, 2> kWidths{{{16, {{{0, 0}, {16, 8}, {3, 0}, {16, 2}}}},  //
                                         {5, {{{0, 0}, {11, 0}, {27, 8}, {3, 0}}}}}};

template <class T>
Guarded<T> placed(int64_t rows, int channels, Place p) {
  return Guarded<T>(rows, channels, channels + p.gap, p.offset);
}

/// Eighths between -4 and 4: sums of them are exact in f32, whatever the order.
template <class T>
Guarded<T> numbers(int64_t rows, int channels, Place p) {
  Guarded<T> g = placed<T>(rows, channels, p);
  Rng rng(5);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < channels; ++c) g.set(r, c, T(static_cast<float>(rng.below(65)) / 8.0F - 4.0F));
  return g;
}

/// 3 x 3 at stride 2, one position of padding all around.
cuda::PoolGeometry geometry(PoolKind kind, int channels, DType dtype) {
  cuda::PoolGeometry g;
  g.kind = kind;
  g.h = {.in = 9, .out = 5, .kernel = 3, .stride = 2, .before = 1, .counted_from = 0, .counted_to = 9};
  g.w = {.in = 7, .out = 4, .kernel = 3, .stride = 2, .before = 1, .counted_from = 0, .counted_to = 7};
  g.images = 2;
  g.channels = channels;
  g.dtype = dtype;
  return g;
}

constexpr int64_t kInputs = 2 * 9 * 7, kOutputs = 2 * 5 * 4;

template <class T>
struct Pooled {
  Guarded<T> y, dx;
  Guarded<uint8_t> argmax;
};

template <class T>
Pooled<T> pooled(PoolKind kind, int channels, Place in, Place out, int64_t argmax_offset) {
  const cuda::PoolGeometry g = geometry(kind, channels, dtype_of<T>::value);
  Guarded<T> x = numbers<T>(kInputs, channels, in), dy = numbers<T>(kOutputs, channels, out);
  Pooled<T> p{placed<T>(kOutputs, channels, out), placed<T>(kInputs, channels, in),
              Guarded<uint8_t>(kOutputs, channels, channels, argmax_offset)};
  uint8_t* argmax = kind == PoolKind::max ? p.argmax.data() : nullptr;
  const int64_t x_stride = channels + in.gap, y_stride = channels + out.gap;
  REQUIRE(cuda::pool(g, {x.data(), x_stride, p.y.data(), y_stride, argmax}, nullptr) == 0);
  REQUIRE(cuda::pool_bwd(g, {dy.data(), y_stride, argmax, p.dx.data(), x_stride}, nullptr) == 0);
  CHECK(p.y.intact());
  CHECK(p.dx.intact());
  CHECK(p.argmax.intact());
  return p;
}

}  // namespace

TEST_CASE_TEMPLATE("pooling of slices", T, float, bfloat16, float16) {
  for (const Places& places : kWidths) {
    const int channels = places.channels;
    CAPTURE(channels);
    for (const PoolKind kind : {PoolKind::max, PoolKind::average}) {
      simt::set_schedule({simt::Order::forward});
      const Pooled<T> dense = pooled<T>(kind, channels, {0, 0}, {0, 0}, 0);
      const auto check = [&](Place in, Place out, int64_t argmax_offset) {
        const Pooled<T> p = pooled<T>(kind, channels, in, out, argmax_offset);
        CHECK(p.y == dense.y);
        CHECK(p.dx == dense.dx);
        CHECK(p.argmax == dense.argmax);
      };
      in_every_order([&] {
        for (const Place in : places.all)
          for (const Place out : places.all) check(in, out, 0);
        check({0, 0}, {0, 0}, 1);
      });
    }
  }
}

TEST_CASE("global average pooling: threads beyond the last channel read nothing") {
  simt::set_schedule({});
  constexpr int kChannels = 33;  // two blocks of 17 threads
  Guarded<float> x = numbers<float>(49, kChannels, {0, 0}), y = placed<float>(1, kChannels, {0, 0});
  CHECK(cuda::global_avg_pool({1, 49, kChannels, DType::f32}, {x.data(), kChannels, y.data(), kChannels},
                              nullptr, nullptr) == 0);
  CHECK(y.intact());
}

TEST_CASE_TEMPLATE("global average pooling of slices", T, float, bfloat16, float16) {
  for (const Places& places : kWidths) {
    const int channels = places.channels;
    CAPTURE(channels);
    for (const int64_t pixels : {49, 1200}) {  // one split, and three of 400 pixels
      const cuda::ImageMaps maps{2, pixels, channels, dtype_of<T>::value};
      const auto mean = [&](Place in, Place out) {
        Guarded<T> x = numbers<T>(2 * pixels, channels, in);
        Guarded<float> y = placed<float>(2, channels, out);
        Guarded<uint8_t> workspace(static_cast<int64_t>(cuda::global_avg_pool_workspace(maps)));
        REQUIRE(cuda::global_avg_pool(maps, {x.data(), channels + in.gap, y.data(), channels + out.gap},
                                      workspace.data(), nullptr) == 0);
        CHECK(y.intact());
        CHECK(workspace.intact());
        return y;
      };
      const auto gradient = [&](Place in, Place out) {
        Guarded<float> dy = numbers<float>(2, channels, out);
        Guarded<T> dx = placed<T>(2 * pixels, channels, in);
        REQUIRE(cuda::global_avg_pool_bwd(maps, {dy.data(), channels + out.gap, dx.data(), channels + in.gap},
                                          nullptr) == 0);
        CHECK(dx.intact());
        return dx;
      };
      simt::set_schedule({simt::Order::forward});
      const Guarded<float> dense = mean({0, 0}, {0, 0});
      const Guarded<T> dense_gradient = gradient({0, 0}, {0, 0});
      in_every_order([&] {
        for (const Place in : places.all) {
          for (const Place out : places.all) {
            CHECK(mean(in, out) == dense);
            CHECK(gradient(in, out) == dense_gradient);
          }
        }
      });
    }
  }
}

}  // namespace xf::test
