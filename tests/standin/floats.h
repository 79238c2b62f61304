#pragma once
// Elements of device memory as doubles, rounded the way CUDA's own headers round.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstddef>
#include <cstdint>

namespace xf::standin {

enum class Element { f32, bf16, f16 };

constexpr size_t size_of(Element e) { return e == Element::f32 ? 4 : 2; }

/// Element i of an array.
inline double load(Element e, const void* p, int64_t i) {
  switch (e) {
    case Element::f32: return static_cast<const float*>(p)[i];
    case Element::bf16: return __bfloat162float(static_cast<const __nv_bfloat16*>(p)[i]);
    case Element::f16: break;
  }
  return __half2float(static_cast<const __half*>(p)[i]);
}

/// Rounds once, to nearest even.
inline void store(Element e, void* p, int64_t i, double v) {
  switch (e) {
    case Element::f32: static_cast<float*>(p)[i] = static_cast<float>(v); return;
    case Element::bf16: static_cast<__nv_bfloat16*>(p)[i] = __double2bfloat16(v); return;
    case Element::f16: static_cast<__half*>(p)[i] = __double2half(v); return;
  }
}

/// The value that an element of this type holds after v was stored in it.
inline double rounded(Element e, double v) {
  float space = 0;
  store(e, &space, 0, v);
  return load(e, &space, 0);
}

/// The value that a TF32 multiplication reads: an f32 with 10 bits of its mantissa, rounded to nearest even.
inline double tf32(double v) {
  const auto f = static_cast<float>(v);
  uint32_t bits = 0;
  static_assert(sizeof bits == sizeof f);
  __builtin_memcpy(&bits, &f, sizeof f);
  if ((bits & 0x7f800000U) == 0x7f800000U) return v;
  bits = (bits + 0xfffU + (bits >> 13 & 1U)) & ~0x1fffU;
  float out = 0;
  __builtin_memcpy(&out, &bits, sizeof out);
  return out;
}

}  // namespace xf::standin
