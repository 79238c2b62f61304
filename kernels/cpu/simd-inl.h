// Vectors of f32 from and to memory of any activation type. Included once for every instruction set.
#if defined(XF_KERNELS_CPU_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef XF_KERNELS_CPU_SIMD_INL_H
#undef XF_KERNELS_CPU_SIMD_INL_H
#else
#define XF_KERNELS_CPU_SIMD_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "engine/core/dtype.h"
#include "kernels/cpu/own_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* p) {
  return hn::LoadU(d, p);
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const bfloat16* p) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::RebindToUnsigned<D> d32;
  const auto bits = hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(p)));
  return hn::BitCast(d, hn::ShiftLeft<16>(bits));
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const uint8_t* p) {
  const hn::Rebind<uint8_t, D> d8;
  const hn::RebindToSigned<D> di;
  return hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, p)));
}

/// load() for a value of which a mask will choose lanes. The compiler would load f32 under the mask, and such
/// a load waits until the mask is computed: one cache miss after the other instead of both at once.
template <class D>
HWY_INLINE hn::Vec<D> load_early(D d, const float* p) {
  auto v = load(d, p);
#if HWY_TARGET == HWY_AVX3
  asm("" : "+v"(v.raw));
#endif
  return v;
}
template <class D>
HWY_INLINE hn::Vec<D> load_early(D d, const bfloat16* p) {
  return load(d, p);
}

template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, float* p) {
  hn::StoreU(v, d, p);
}

/// The bits of the nearest bfloat16 (ties to even, NaN stays NaN) in the lower halves: Highway's own
/// conversion truncates.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> to_bf16_bits(D d, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> d32;
  const auto bits = hn::BitCast(d32, v);
  const auto high = hn::ShiftRight<16>(bits);
  const auto odd = hn::And(high, hn::Set(d32, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(bits, odd), hn::Set(d32, 0x7fff)));
  const auto nan = hn::MaskFromVec(hn::BitCast(d32, hn::VecFromMask(d, hn::IsNaN(v))));
  return hn::IfThenElse(nan, hn::Or(high, hn::Set(d32, 0x40)), rounded);
}

template <class D>
HWY_INLINE auto rounded(D d, hn::Vec<D> v, const bfloat16*) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::RebindToSigned<D> di;
  return hn::DemoteTo(d16, hn::BitCast(di, to_bf16_bits(d, v)));
}

#if HWY_TARGET == HWY_AVX3
/// A bfloat16 that the processor rounds to itself (AVX512_BF16). Subnormal numbers become zero.
struct NativeBf16 : bfloat16 {};

template <class D>
HWY_INLINE auto rounded(D, hn::Vec<D> v, const NativeBf16*) {
  hn::Vec<hn::Rebind<uint16_t, D>> bits;
  // Not an intrinsic: those need the whole function compiled for processors that have the instruction.
  asm("vcvtneps2bf16 %1, %0" : "=v"(bits.raw) : "v"(v.raw));
  return bits;
}
#endif

/// For T bfloat16 or NativeBf16.
template <class D, class T>
HWY_INLINE void store(hn::Vec<D> v, D d, T* p) {
  const hn::Rebind<uint16_t, D> d16;
  hn::StoreU(rounded(d, v, p), d16, reinterpret_cast<uint16_t*>(p));
}

/// store() past the caches, to aligned memory; for whole vectors alone.
template <class D>
HWY_INLINE void stream(hn::Vec<D> v, D d, float* p) {
  hn::Stream(v, d, p);
}
template <class D, class T>
HWY_INLINE void stream(hn::Vec<D> v, D d, T* p) {
  const hn::Rebind<uint16_t, D> d16;
  hn::Stream(rounded(d, v, p), d16, reinterpret_cast<uint16_t*>(p));
}

/// max(v, 0), but NaN stays NaN, so that a diverged training is seen.
template <class D>
HWY_INLINE hn::Vec<D> relu(D d, hn::Vec<D> v) {
  return hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v);
}

/// Calls f(d, i) for all of [0, n), d.Lanes() elements at a time: whole vectors, then quarters, then single
/// ones, so that nothing outside is touched.
template <class F>
HWY_INLINE void for_lanes(int64_t n, F f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 4> d4;
  const hn::CappedTag<float, 1> d1;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(d, i);
  for (; i + 4 <= n; i += 4) f(d4, i);
  for (; i < n; ++i) f(d1, i);
}

/// Calls f(d, row, i) for all of `rows` x `channels`; rows without gaps are taken as one.
template <class F>
HWY_INLINE void for_rows(int64_t rows, int64_t stride, int64_t channels, F f) {
  const bool flat = stride == channels;
  const int64_t count = flat ? 1 : rows, length = flat ? rows * channels : channels;
  for (int64_t r = 0; r < count; ++r) for_lanes(length, [&](auto d, int64_t i) HWY_ATTR { f(d, r, i); });
}

/// Calls f with a null pointer to the C++ type of an activation's elements.
template <class F>
HWY_INLINE void with_type(DType type, F f) {
  if (type == DType::f32) return f(static_cast<float*>(nullptr));
#if HWY_TARGET == HWY_AVX3
  if (has_bf16_instructions()) return f(static_cast<NativeBf16*>(nullptr));
#endif
  f(static_cast<bfloat16*>(nullptr));
}

}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#endif
