#pragma once
// Element types inside kernels: memory holds T, arithmetic is f32.

#include <type_traits>

#include "engine/core/dtype.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float to_float(__half x) { return __half2float(x); }

/// Rounds to nearest, ties to even.
template <class T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else if constexpr (std::is_same_v<T, __half>) {
    return __float2half(x);
  } else {
    return __float2bfloat16(x);
  }
}

/// Elements of T in the widest access, 16 bytes.
template <class T>
constexpr int kVector = 16 / static_cast<int>(sizeof(T));

/// Calls body.template operator()<T>() with the type that kernels read and write `dtype` as: one of the
/// three that activations may have.
template <class Body>
auto for_element(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::bf16: return body.template operator()<__nv_bfloat16>();
    case DType::f16: return body.template operator()<__half>();
    default: return body.template operator()<float>();
  }
}

}  // namespace xf::cuda
