#pragma once
// Element types inside kernels: memory holds T, arithmetic is f32.

#include "engine/core/dtype.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

/// Rounds to nearest, ties to even.
template <class T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return x;
  } else {
    return __float2bfloat16(x);
  }
}

/// Elements of T in the widest access, 16 bytes.
template <class T>
constexpr int kVector = 16 / static_cast<int>(sizeof(T));

}  // namespace xf::cuda
