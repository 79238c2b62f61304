#pragma once
// The part of <cuda_runtime.h>, <cuda_bf16.h> and <cuda_fp16.h> that kernels use, for compilers that have no
// CUDA. Never included together with CUDA's own headers. Names and meanings are CUDA's.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"

#if defined(__CUDACC__) || defined(__CUDA_RUNTIME_H__)
#error "cuda_vocabulary.h stands in for CUDA's headers and cannot meet them"
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): the names are CUDA's

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

/// Opaque, as in CUDA.
using cudaStream_t = struct CUstream_st*;

enum cudaError { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorInvalidConfiguration = 9 };
using cudaError_t = cudaError;

/// Rounds to nearest, ties to even.
using __nv_bfloat16 = xf::bfloat16;
inline __nv_bfloat16 __float2bfloat16(float x) { return xf::bfloat16(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return static_cast<float>(x); }

/// Rounds to nearest, ties to even.
using __half = xf::float16;
inline __half __float2half(float x) { return xf::float16(x); }
inline float __half2float(__half x) { return static_cast<float>(x); }

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
