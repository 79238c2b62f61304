#include "kernels/cpu/winograd_transforms.h"

#include <algorithm>

#include "kernels/cpu/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd_transforms.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace xf::cpu::winograd {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using namespace xf::cpu::HWY_NAMESPACE;  // NOLINT(google-build-using-namespace): load, store, relu

using D = hn::CappedTag<float, kGroup>;
using V = hn::Vec<D>;
constexpr D kD;
constexpr int64_t kLanes = hn::MaxLanes(D());

HWY_INLINE V times(float factor, V v) { return hn::Mul(hn::Set(kD, factor), v); }
/// factor * a + b, and b - factor * a.
HWY_INLINE V plus(float factor, V a, V b) { return hn::MulAdd(hn::Set(kD, factor), a, b); }
HWY_INLINE V minus(float factor, V a, V b) { return hn::NegMulAdd(hn::Set(kD, factor), a, b); }

// One-dimensional transforms, of `in` to every `step`-th of `out`.

/// Bᵀ: 6 numbers to 6.
HWY_INLINE void by_b(const V* in, V* out, int step) {
  const V even = minus(4, in[2], in[4]), odd = minus(4, in[1], in[3]);
  const V near = hn::Sub(in[4], in[2]), twice = times(2, hn::Sub(in[3], in[1]));
  out[0] = plus(4, in[0], minus(5, in[2], in[4]));
  out[step] = hn::Add(even, odd);
  out[2 * step] = hn::Sub(even, odd);
  out[3 * step] = hn::Add(near, twice);
  out[4 * step] = hn::Sub(near, twice);
  out[5 * step] = plus(4, in[1], minus(5, in[3], in[5]));
}

/// Aᵀ: 6 numbers to 4.
HWY_INLINE void by_a(const V* in, V* out, int step) {
  const V sum1 = hn::Add(in[1], in[2]), difference1 = hn::Sub(in[1], in[2]);
  const V sum2 = hn::Add(in[3], in[4]), difference2 = hn::Sub(in[3], in[4]);
  out[0] = hn::Add(hn::Add(in[0], sum1), sum2);
  out[step] = plus(2, difference2, difference1);
  out[2 * step] = plus(4, sum2, sum1);
  out[3 * step] = hn::Add(plus(8, difference2, difference1), in[5]);
}

/// A: 4 numbers to 6.
HWY_INLINE void by_a_transposed(const V* in, V* out, int step) {
  const V even = hn::Add(in[0], in[2]), odd = hn::Add(in[1], in[3]);
  const V even2 = plus(4, in[2], in[0]), odd2 = plus(8, in[3], times(2, in[1]));
  out[0] = in[0];
  out[step] = hn::Add(even, odd);
  out[2 * step] = hn::Sub(even, odd);
  out[3 * step] = hn::Add(even2, odd2);
  out[4 * step] = hn::Sub(even2, odd2);
  out[5 * step] = in[3];
}

/// G: 3 numbers to 6.
HWY_INLINE void by_g(const V* in, V* out, int step) {
  const V even = times(-1.0F / 6, hn::Add(in[0], in[2])), odd = times(-1.0F / 6, in[1]);
  const V even2 = plus(1.0F / 24, in[0], times(1.0F / 6, in[2])), odd2 = times(1.0F / 12, in[1]);
  out[0] = times(0.25F, in[0]);
  out[step] = hn::Add(even, odd);
  out[2 * step] = hn::Sub(even, odd);
  out[3 * step] = hn::Add(even2, odd2);
  out[4 * step] = hn::Sub(even2, odd2);
  out[5 * step] = in[2];
}

/// Gᵀ: 6 numbers to 3.
HWY_INLINE void by_g_transposed(const V* in, V* out, int step) {
  const V sum1 = hn::Add(in[1], in[2]), difference1 = hn::Sub(in[2], in[1]);
  const V sum2 = hn::Add(in[3], in[4]), difference2 = hn::Sub(in[3], in[4]);
  out[0] = plus(0.25F, in[0], minus(1.0F / 6, sum1, times(1.0F / 24, sum2)));
  out[step] = plus(1.0F / 6, difference1, times(1.0F / 12, difference2));
  out[2 * step] = plus(1.0F / 6, hn::Sub(sum2, sum1), in[5]);
}

/// Both dimensions: out(row, column, value) gets the transform of in(row, column).
template <int from, int to, class Transform, class In, class Out>
HWY_INLINE void both(Transform transform, In in, Out out) {
  V half[to * from];
  for (int column = 0; column < from; ++column) {
    V v[from];
    for (int row = 0; row < from; ++row) v[row] = in(row, column);
    transform(v, half + column, from);
  }
  for (int row = 0; row < to; ++row) {
    V v[to];
    transform(half + row * from, v, 1);
    for (int column = 0; column < to; ++column) out(row, column, v[column]);
  }
}

/// Rows and columns of a map that a tile meets: those from first up to last of its own.
struct Span {
  int64_t first, last;
  Span(int64_t begin, int64_t length, int64_t extent)
      : first(std::max<int64_t>(0, -begin)), last(std::min(length, extent - begin)) {}
  [[nodiscard]] bool holds(int64_t i) const { return i >= first && i < last; }
  [[nodiscard]] bool whole(int64_t length) const { return first == 0 && last == length; }
};

void input(const Pixels<const float>& x, const Margin& margin, const Tiling& tiling, const TileRange& range,
           const Panels& to, float* panels) {
  const int64_t frequency = to.frequency_stride();
  for (int64_t t = 0; t < range.count; ++t) {
    const auto place = tiling.place(range.first + t);
    const int64_t top = place.row - margin.top, left = place.column - margin.left;
    const Span rows(top, kInputs, x.shape.h), columns(left, kInputs, x.shape.w);
    const float* corner = x.at(place.image, top, left);
    const int64_t row_stride = x.shape.w * x.stride;
    float* target = panels + (range.position + t) * kGroup;
    const auto tile = [&](auto pixel) HWY_ATTR {
      for (int64_t g = 0; g < to.groups; ++g)
        for (int64_t i = 0; i < kGroup; i += kLanes) {
          const int64_t c = g * kGroup + i;
          both<kInputs, kInputs>(
              [](auto... a) HWY_ATTR { by_b(a...); }, [&](int r, int s) HWY_ATTR { return pixel(r, s, c); },
              [&](int r, int s, V v) HWY_ATTR {
                hn::Store(v, kD, target + (r * kInputs + s) * frequency + g * to.group_stride() + i);
              });
        }
    };
    if (rows.whole(kInputs) && columns.whole(kInputs))
      tile([&](int r, int s, int64_t c)
               HWY_ATTR { return hn::LoadU(kD, corner + r * row_stride + s * x.stride + c); });
    else
      tile([&](int r, int s, int64_t c) HWY_ATTR {
        return rows.holds(r) && columns.holds(s) ? hn::LoadU(kD, corner + r * row_stride + s * x.stride + c)
                                                 : hn::Zero(kD);
      });
  }
}

void output(const float* panels, const Panels& from, const Tiling& tiling, const TileRange& range,
            const Epilogue& epilogue, const Pixels<float>& y) {
  const int64_t frequency = from.frequency_stride();
  const bool relu_follows = epilogue.act == Activation::relu;
  for (int64_t t = 0; t < range.count; ++t) {
    const auto place = tiling.place(range.first + t);
    const Span rows(place.row, kOutputs, y.shape.h), columns(place.column, kOutputs, y.shape.w);
    float* corner = y.at(place.image, place.row, place.column);
    const int64_t row_stride = y.shape.w * y.stride;
    const Pixels<const float>& residual = epilogue.residual;
    const float* added =
        residual.data != nullptr ? residual.at(place.image, place.row, place.column) : nullptr;
    const int64_t added_row_stride = residual.shape.w * residual.stride;
    const float* source = panels + (range.position + t) * kGroup;
    for (int64_t g = 0; g < from.groups; ++g)
      for (int64_t i = 0; i < kGroup; i += kLanes) {
        const int64_t c = g * kGroup + i;
        const V bias = epilogue.bias != nullptr ? hn::LoadU(kD, epilogue.bias + c) : hn::Zero(kD);
        both<kInputs, kOutputs>(
            [](auto... a) HWY_ATTR { by_a(a...); },
            [&](int r, int s) HWY_ATTR {
              return hn::Load(kD, source + (r * kInputs + s) * frequency + g * from.group_stride() + i);
            },
            [&](int r, int s, V v) HWY_ATTR {
              if (!rows.holds(r) || !columns.holds(s)) return;
              v = hn::Add(v, bias);
              if (added != nullptr)
                v = hn::Add(v, hn::LoadU(kD, added + r * added_row_stride + s * residual.stride + c));
              if (relu_follows) v = relu(kD, v);
              hn::StoreU(v, kD, corner + r * row_stride + s * y.stride + c);
            });
      }
  }
}

void output_gradient(const Pixels<const float>& dy, const Tiling& tiling, const TileRange& range,
                     const Panels& to, float* panels) {
  const int64_t frequency = to.frequency_stride();
  for (int64_t t = 0; t < range.count; ++t) {
    const auto place = tiling.place(range.first + t);
    const Span rows(place.row, kOutputs, dy.shape.h), columns(place.column, kOutputs, dy.shape.w);
    const float* corner = dy.at(place.image, place.row, place.column);
    const int64_t row_stride = dy.shape.w * dy.stride;
    float* target = panels + (range.position + t) * kGroup;
    for (int64_t g = 0; g < to.groups; ++g)
      for (int64_t i = 0; i < kGroup; i += kLanes) {
        const int64_t c = g * kGroup + i;
        both<kOutputs, kInputs>(
            [](auto... a) HWY_ATTR { by_a_transposed(a...); },
            [&](int r, int s) HWY_ATTR {
              return rows.holds(r) && columns.holds(s)
                         ? hn::LoadU(kD, corner + r * row_stride + s * dy.stride + c)
                         : hn::Zero(kD);
            },
            [&](int r, int s, V v) HWY_ATTR {
              hn::Store(v, kD, target + (r * kInputs + s) * frequency + g * to.group_stride() + i);
            });
      }
  }
}

void weights(const float* w, const Shape& shape, int64_t group, float* panels) {
  constexpr int kTaps = 9;
  const Panels to{shape.n / kGroup, shape.c};
  for (int64_t first = 0; first < shape.c; first += kGroup) {
    // Inputs are neighbours in memory, outputs are to be: 16 by 16 of them change places first.
    alignas(64) float taps[kGroup][kTaps][kGroup];  // input, tap, output
    for (int64_t o = 0; o < kGroup; ++o)
      for (int tap = 0; tap < kTaps; ++tap) {
        const float* from = w + ((group * kGroup + o) * kTaps + tap) * shape.c + first;
        for (int64_t c = 0; c < kGroup; ++c) taps[c][tap][o] = from[c];
      }
    for (int64_t c = 0; c < kGroup; ++c)
      for (int64_t i = 0; i < kGroup; i += kLanes)
        both<3, kInputs>([](auto... a) HWY_ATTR { by_g(a...); },
                         [&](int r, int s) HWY_ATTR { return hn::Load(kD, taps[c][r * 3 + s] + i); },
                         [&](int r, int s, V v) HWY_ATTR {
                           hn::Store(v, kD,
                                     panels + (r * kInputs + s) * to.frequency_stride() +
                                         group * to.group_stride() + (first + c) * kGroup + i);
                         });
  }
}

void turned_weights(const float* w, const Shape& shape, int64_t output, float* panels) {
  const Panels to{shape.c / kGroup, shape.n};
  const float* from = w + output * 9 * shape.c;
  for (int64_t g = 0; g < to.groups; ++g)
    for (int64_t i = 0; i < kGroup; i += kLanes)
      both<3, kInputs>([](auto... a) HWY_ATTR { by_g(a...); },
                       [&](int r, int s) HWY_ATTR {
                         return hn::LoadU(kD, from + (8 - (r * 3 + s)) * shape.c + g * kGroup + i);
                       },
                       [&](int r, int s, V v) HWY_ATTR {
                         hn::Store(v, kD,
                                   panels + (r * kInputs + s) * to.frequency_stride() +
                                       g * to.group_stride() + output * kGroup + i);
                       });
}

void weight_gradient(const float* panels, const Shape& shape, int64_t output, float* dw) {
  const Panels from{shape.c / kGroup, shape.n};
  float* target = dw + output * 9 * shape.c;
  for (int64_t g = 0; g < from.groups; ++g)
    for (int64_t i = 0; i < kGroup; i += kLanes)
      both<kInputs, 3>([](auto... a) HWY_ATTR { by_g_transposed(a...); },
                       [&](int r, int s) HWY_ATTR {
                         return hn::Load(kD, panels + (r * kInputs + s) * from.frequency_stride() +
                                                 g * from.group_stride() + output * kGroup + i);
                       },
                       [&](int r, int s, V v)
                           HWY_ATTR { hn::StoreU(v, kD, target + (r * 3 + s) * shape.c + g * kGroup + i); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu::winograd {

HWY_EXPORT(input);
HWY_EXPORT(output);
HWY_EXPORT(output_gradient);
HWY_EXPORT(weights);
HWY_EXPORT(turned_weights);
HWY_EXPORT(weight_gradient);

void transform_input(const Pixels<const float>& x, const Margin& margin, const Tiling& tiling,
                     const TileRange& range, const Panels& to, float* panels) {
  HWY_DYNAMIC_DISPATCH(input)(x, margin, tiling, range, to, panels);
}

void transform_output(const float* panels, const Panels& from, const Tiling& tiling, const TileRange& range,
                      const Epilogue& epilogue, const Pixels<float>& y) {
  HWY_DYNAMIC_DISPATCH(output)(panels, from, tiling, range, epilogue, y);
}

void transform_output_gradient(const Pixels<const float>& dy, const Tiling& tiling, const TileRange& range,
                               const Panels& to, float* panels) {
  HWY_DYNAMIC_DISPATCH(output_gradient)(dy, tiling, range, to, panels);
}

void transform_weights(const float* w, const Shape& shape, int64_t group, float* panels) {
  HWY_DYNAMIC_DISPATCH(weights)(w, shape, group, panels);
}

void transform_turned_weights(const float* w, const Shape& shape, int64_t output, float* panels) {
  HWY_DYNAMIC_DISPATCH(turned_weights)(w, shape, output, panels);
}

void transform_weight_gradient(const float* panels, const Shape& shape, int64_t output, float* dw) {
  HWY_DYNAMIC_DISPATCH(weight_gradient)(panels, shape, output, dw);
}

}  // namespace xf::cpu::winograd
#endif
