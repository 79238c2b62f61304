#include "kernels/cpu/tsne_rows.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tsne_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Highway's mathematics last: it needs the target.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kRowPadding>;
constexpr D kD;
constexpr int64_t kLanes = hn::MaxLanes(D());
using Vector = hn::Vec<D>;

HWY_INLINE float sum_of(Vector v) { return hn::GetLane(hn::SumOfLanes(kD, v)); }

// Tiles whose sums stay in registers with what they are computed from. Differences are taken, not products:
// nothing cancels, and the subtractions run beside the multiplications.
constexpr int64_t kDown = kLanes == 16 ? 4 : 2, kAcross = 4;

void distances(const float* a, int64_t rows, const float* b, int64_t columns, int64_t length, float* out,
               int64_t out_stride) {
  for (int64_t c0 = 0; c0 < columns; c0 += kAcross)
    for (int64_t r0 = 0; r0 < rows; r0 += kDown) {
      // At the edges a row is taken more than once.
      const float *down[kDown], *across[kAcross];
      for (int64_t r = 0; r < kDown; ++r) down[r] = a + std::min(r0 + r, rows - 1) * length;
      for (int64_t c = 0; c < kAcross; ++c) across[c] = b + std::min(c0 + c, columns - 1) * length;
      Vector sum[kDown][kAcross];
      for (auto& row : sum)
        for (Vector& s : row) s = hn::Zero(kD);
      for (int64_t k = 0; k < length; k += kLanes) {
        Vector here[kDown];
        for (int64_t r = 0; r < kDown; ++r) here[r] = hn::LoadU(kD, down[r] + k);
        for (int64_t c = 0; c < kAcross; ++c) {
          const Vector there = hn::LoadU(kD, across[c] + k);
          for (int64_t r = 0; r < kDown; ++r) {
            const Vector difference = hn::Sub(here[r], there);
            sum[r][c] = hn::MulAdd(difference, difference, sum[r][c]);
          }
        }
      }
      for (int64_t r = 0; r < std::min(kDown, rows - r0); ++r)
        for (int64_t c = 0; c < std::min(kAcross, columns - c0); ++c)
          out[(r0 + r) * out_stride + c0 + c] = sum_of(sum[r][c]);
    }
}

/// exp(-b (d - nearest)), which no b underflows for all distances.
HWY_INLINE Vector share(Vector distance, Vector nearest, Vector b) {
  const Vector least = hn::Set(kD, -200.0F);  // exp gives 0
  return hn::Exp(kD, hn::Max(least, hn::Mul(b, hn::Sub(nearest, distance))));
}

struct Shares {
  double sum, entropy;
};

Shares shares(const float* distances, int64_t count, float nearest, float b) {
  const Vector from = hn::Set(kD, nearest), factor = hn::Set(kD, b);
  Vector sum = hn::Zero(kD), weighted = hn::Zero(kD);
  for (int64_t j = 0; j < count; j += kLanes) {
    const Vector d = hn::LoadU(kD, distances + j), e = share(d, from, factor);
    sum = hn::Add(sum, e);
    weighted = hn::MulAdd(e, hn::Sub(d, from), weighted);
  }
  const double all = sum_of(sum);
  return {all, std::log(all) + static_cast<double>(b) * sum_of(weighted) / all};
}

void distribution(float* distances, int64_t count, double entropy) {
  constexpr double kTolerance = 1e-5;
  constexpr int kSteps = 100;
  const float nearest = *std::min_element(distances, distances + count);
  double sum = 0;
  int64_t near = 0;
  for (int64_t j = 0; j < count; ++j)
    if (distances[j] < kFarAway) sum += distances[j] - nearest, ++near;
  // The entropy falls as b grows: a bracket, then halves of it.
  double low = 0, high = 0, b = sum > 0 ? static_cast<double>(near) / sum : 1;
  Shares now{};
  for (int step = 0; step < kSteps; ++step) {
    now = shares(distances, count, nearest, static_cast<float>(b));
    if (sum == 0 || std::abs(now.entropy - entropy) < kTolerance) break;
    (now.entropy > entropy ? low : high) = b;
    const double next = high == 0 ? 2 * b : (low + high) / 2;
    if (static_cast<float>(next) == static_cast<float>(b) || next > 1e30) break;
    b = next;
  }
  const Vector from = hn::Set(kD, nearest), factor = hn::Set(kD, static_cast<float>(b));
  const Vector scale = hn::Set(kD, static_cast<float>(1 / now.sum));
  for (int64_t j = 0; j < count; j += kLanes)
    hn::StoreU(hn::Mul(scale, share(hn::LoadU(kD, distances + j), from, factor)), kD, distances + j);
}

/// 1 / v to f32's rounding or nearly.
HWY_INLINE Vector reciprocal(Vector v) {
  const Vector guess = hn::ApproximateReciprocal(v);
  return hn::Mul(guess, hn::NegMulAdd(v, guess, hn::Set(kD, 2.0F)));
}

/// The pull of kin one by one, wherever they lie.
void pull_of_each(const MapRows& map, int64_t i, const Kin& kin, const float* w, float* attraction) {
  const hn::FixedTag<float, 4> d4;
  using Point = hn::Vec<hn::FixedTag<float, 4>>;
  const Point here = hn::Load(d4, map.points + 4 * i);
  constexpr int64_t kSums = 4;  // at once, so that none waits for the one before
  Point pull[kSums];
  for (Point& v : pull) v = hn::Zero(d4);
  const auto draw = [&](int64_t k, Point& v) HWY_ATTR {
    const int64_t j = kin.other[k];
    v = hn::MulAdd(hn::Set(d4, kin.p[k] * w[j]), hn::Sub(here, hn::Load(d4, map.points + 4 * j)), v);
  };
  int64_t k = 0;
  for (; k + kSums <= kin.count; k += kSums)
    for (int64_t s = 0; s < kSums; ++s) draw(k + s, pull[s]);
  for (; k < kin.count; ++k) draw(k, pull[0]);
  hn::StoreU(hn::Add(hn::Add(pull[0], pull[1]), hn::Add(pull[2], pull[3])), d4, attraction);
}

/// Calls body(j, dx, dy, dz, w) for all vectors of points j, with w = 0 for point i itself.
template <class Body>
HWY_INLINE void for_others(const MapRows& map, int64_t i, Body body) {
  const Vector x = hn::Set(kD, map.x[i]), y = hn::Set(kD, map.y[i]), z = hn::Set(kD, map.z[i]);
  const Vector one = hn::Set(kD, 1.0F);
  const auto self = hn::Iota(kD, -static_cast<float>(i % kLanes));  // 0 at the point itself
  const int64_t own = i / kLanes * kLanes;
  for (int64_t j = 0; j < map.count; j += kLanes) {
    const Vector dx = hn::Sub(x, hn::Load(kD, map.x + j)), dy = hn::Sub(y, hn::Load(kD, map.y + j)),
                 dz = hn::Sub(z, hn::Load(kD, map.z + j));
    Vector w = reciprocal(hn::MulAdd(dz, dz, hn::MulAdd(dy, dy, hn::MulAdd(dx, dx, one))));
    if (j == own) w = hn::IfThenZeroElse(hn::Eq(self, hn::Zero(kD)), w);
    body(j, dx, dy, dz, w);
  }
}

#if HWY_TARGET == HWY_AVX3
/// The numbers from `p` on at their places in the vector, and 0 elsewhere.
HWY_INLINE Vector spread(uint16_t places, const float* p, const float* end) {
  // The instruction that reads and spreads at once is slow, but reads no more than there is.
  return Vector{p + kLanes <= end ? _mm512_maskz_expand_ps(places, _mm512_loadu_ps(p))
                                  : _mm512_maskz_expandloadu_ps(places, p)};
}

/// Kin that are a good part of all points are drawn in passing.
void forces_by_blocks(const MapRows& map, int64_t i, const Kin& kin, PointForces& out) {
  Vector sum = hn::Zero(kD), px = sum, py = sum, pz = sum, ax = sum, ay = sum, az = sum;
  const float *p = kin.p, *const end = kin.p + kin.count;
  const uint16_t* places = kin.blocks;
  for_others(map, i, [&](int64_t, Vector dx, Vector dy, Vector dz, Vector w) HWY_ATTR {
    sum = hn::Add(sum, w);
    const Vector push = hn::Mul(w, w);
    px = hn::MulAdd(push, dx, px);
    py = hn::MulAdd(push, dy, py);
    pz = hn::MulAdd(push, dz, pz);
    const Vector pull = hn::Mul(spread(*places, p, end), w);
    p += __builtin_popcount(*places++);
    ax = hn::MulAdd(pull, dx, ax);
    ay = hn::MulAdd(pull, dy, ay);
    az = hn::MulAdd(pull, dz, az);
  });
  out = {{sum_of(ax), sum_of(ay), sum_of(az)}, {sum_of(px), sum_of(py), sum_of(pz)}, sum_of(sum)};
}
bool takes_blocks() { return true; }
#else
bool takes_blocks() { return false; }
#endif

void forces(const MapRows& map, int64_t i, const Kin& kin, float* w, PointForces& out) {
#if HWY_TARGET == HWY_AVX3
  if (kin.blocks != nullptr) return forces_by_blocks(map, i, kin, out);
#endif
  Vector sum = hn::Zero(kD), px = sum, py = sum, pz = sum;
  for_others(map, i, [&](int64_t j, Vector dx, Vector dy, Vector dz, Vector near) HWY_ATTR {
    hn::StoreU(near, kD, w + j);
    sum = hn::Add(sum, near);
    const Vector push = hn::Mul(near, near);
    px = hn::MulAdd(push, dx, px);
    py = hn::MulAdd(push, dy, py);
    pz = hn::MulAdd(push, dz, pz);
  });
  out.normalisation = sum_of(sum);
  out.repulsion[0] = sum_of(px);
  out.repulsion[1] = sum_of(py);
  out.repulsion[2] = sum_of(pz);
  pull_of_each(map, i, kin, w, out.attraction);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {

HWY_EXPORT(distances);
HWY_EXPORT(distribution);
HWY_EXPORT(forces);
HWY_EXPORT(takes_blocks);

void squared_distances(const float* a, int64_t rows, const float* b, int64_t columns, int64_t length,
                       float* out, int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(distances)(a, rows, b, columns, length, out, out_stride);
}

void distribution_of_entropy(float* distances, int64_t count, double entropy) {
  HWY_DYNAMIC_DISPATCH(distribution)(distances, count, entropy);
}

bool row_forces_take_blocks() { return HWY_DYNAMIC_DISPATCH(takes_blocks)(); }

void row_forces(const MapRows& map, int64_t i, const Kin& kin, float* w, PointForces& out) {
  HWY_DYNAMIC_DISPATCH(forces)(map, i, kin, w, out);
}

}  // namespace xf::cpu
#endif
