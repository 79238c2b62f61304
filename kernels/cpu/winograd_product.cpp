#include "kernels/cpu/winograd_product.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/cpu/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/winograd_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace xf::cpu::winograd {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kGroup>;
constexpr D kD;
constexpr int kLanes = hn::MaxLanes(D());
constexpr int kVectors = kGroup / kLanes;  // of a group

// The largest tiles of results that stay in registers with what they are computed from: 12 x 2 groups of the
// 32 of AVX-512, 6 x 1 of the 16 of AVX2.
constexpr int kGroups = kLanes == 16 ? 2 : 1;
constexpr int kRows = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;
/// Of a gradient: a divisor of a group.
constexpr int kGradientRows = kLanes == 16 ? 8 : kLanes == 8 ? 4 : 2;

/// Operands of the innermost loop: result[row][lane] = Σ scalars[row] vectors[lane] over `chunks` times
/// `length` steps, one at least. From one step to the next, scalars go on by `scalar_step` and from one row
/// to the next by `row_step` (constants), from one chunk to the next by `scalar_chunk`; vectors by a group.
struct Operands {
  const float *scalars, *vectors;
  int64_t chunks, length, scalar_chunk, vector_group;
};

template <int rows, int groups, int row_step, int scalar_step, class Store>
HWY_INLINE void sums(const Operands& o, Store store) {
  constexpr int kAcross = groups * kVectors;
  hn::Vec<D> sum[rows][kAcross];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < kAcross; ++v) sum[r][v] = hn::Zero(kD);
  const float *vectors = o.vectors, *chunk = o.scalars;
  int64_t chunks = o.chunks;
  do {
    const float* scalars = chunk;
    int64_t steps = o.length;
    do {
      hn::Vec<D> across[kAcross];
      for (int g = 0; g < groups; ++g)
        for (int v = 0; v < kVectors; ++v)
          across[g * kVectors + v] = hn::Load(kD, vectors + g * o.vector_group + v * kLanes);
      for (int r = 0; r < rows; ++r) {
        const auto down = hn::Set(kD, scalars[r * row_step]);
        for (int v = 0; v < kAcross; ++v) sum[r][v] = hn::MulAdd(down, across[v], sum[r][v]);
      }
      scalars += scalar_step;
      vectors += kGroup;
    } while (--steps > 0);
    chunk += o.scalar_chunk;
  } while (--chunks > 0);
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < kAcross; ++v) store(r, v / kVectors, v % kVectors * kLanes, sum[r][v]);
}

template <int rows, int groups>
void tiles_loop(const Operands& o, int64_t result_group, float* result) {
  sums<rows, groups, kGroup, 1>(o, [&](int r, int g, int lane, hn::Vec<D> v) HWY_ATTR {
    hn::Store(v, kD, result + g * result_group + r * kGroup + lane);
  });
}

template <int groups>
void gradient_loop(const Operands& o, int64_t result_group, float* result, Sums how) {
  sums<kGradientRows, groups, 1, kGroup>(o, [&](int r, int g, int lane, hn::Vec<D> v) HWY_ATTR {
    float* to = result + g * result_group + r * kGroup + lane;
    hn::Store(how == Sums::set ? v : hn::Add(hn::Load(kD, to), v), kD, to);
  });
}

using TilesLoop = void (*)(const Operands&, int64_t, float*);
template <int groups, size_t... rows>
constexpr std::array<TilesLoop, sizeof...(rows)> tiles_loops(std::index_sequence<rows...>) {
  return {&tiles_loop<static_cast<int>(rows) + 1, groups>...};
}
/// By rows - 1.
template <int groups>
constexpr auto kTilesLoops = tiles_loops<groups>(std::make_index_sequence<kRows>());

int64_t side_by_side() { return kGroups; }
int lanes() { return kLanes; }

/// Calls body(first group, number of groups as a constant) for the part's groups, kGroups at a time and then
/// one by one.
template <class Body>
HWY_INLINE void for_groups(const ProductPart& part, Body body) {
  int64_t g = part.first_group;
  for (; g + kGroups <= part.last_group; g += kGroups) body(g, std::integral_constant<int, kGroups>());
  if constexpr (kGroups > 1)
    for (; g < part.last_group; ++g) body(g, std::integral_constant<int, 1>());
}

void product(const ProductPart& part, int64_t tiles, const Panels& of_x, const float* x, const Panels& of_w,
             const float* w, const Panels& of_y, float* y) {
  x += part.frequency * of_x.frequency_stride();
  w += part.frequency * of_w.frequency_stride();
  y += part.frequency * of_y.frequency_stride();
  const int64_t blocks = (tiles + kRows - 1) / kRows;  // of nearly equal size
  for_groups(part, [&](int64_t group, auto groups) {
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = tiles * b / blocks, rows = tiles * (b + 1) / blocks - first;
      const Operands o{x + first * kGroup,  w + group * of_w.group_stride(),
                       of_x.groups,         kGroup,
                       of_x.group_stride(), of_w.group_stride()};
      kTilesLoops<decltype(groups)::value>[static_cast<size_t>(rows - 1)](
          o, of_y.group_stride(), y + group * of_y.group_stride() + first * kGroup);
    }
  });
}

void gradient(const ProductPart& part, int64_t tiles, const Panels& of_x, const float* x, const Panels& of_dy,
              const float* dy, const Panels& of_dw, float* dw, Sums how) {
  x += part.frequency * of_x.frequency_stride();
  dy += part.frequency * of_dy.frequency_stride();
  dw += part.frequency * of_dw.frequency_stride();
  for_groups(part, [&](int64_t group, auto groups) {
    for (int64_t out = 0; out < of_dw.length; out += kGradientRows) {
      const Operands o{dy + out / kGroup * of_dy.group_stride() + out % kGroup,
                       x + group * of_x.group_stride(),
                       1,
                       tiles,
                       0,
                       of_x.group_stride()};
      gradient_loop<decltype(groups)::value>(o, of_dw.group_stride(),
                                             dw + group * of_dw.group_stride() + out * kGroup, how);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu::winograd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu::winograd {

HWY_EXPORT(lanes);
HWY_EXPORT(side_by_side);
HWY_EXPORT(product);
HWY_EXPORT(gradient);

int vector_lanes() { return HWY_DYNAMIC_DISPATCH(lanes)(); }

int64_t groups_side_by_side() { return HWY_DYNAMIC_DISPATCH(side_by_side)(); }

void multiply(const ProductPart& part, int64_t tiles, const Panels& of_x, const float* x, const Panels& of_w,
              const float* w, const Panels& of_y, float* y) {
  HWY_DYNAMIC_DISPATCH(product)(part, tiles, of_x, x, of_w, w, of_y, y);
}

void multiply_gradient(const ProductPart& part, int64_t tiles, const Panels& of_x, const float* x,
                       const Panels& of_dy, const float* dy, const Panels& of_dw, float* dw, Sums sums) {
  HWY_DYNAMIC_DISPATCH(gradient)(part, tiles, of_x, x, of_dy, dy, of_dw, dw, sums);
}

}  // namespace xf::cpu::winograd
#endif
