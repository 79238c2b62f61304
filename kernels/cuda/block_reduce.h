#pragma once
// Reductions over the threads of a block, in an order that the block's size alone decides.

#include "kernels/simt/simt.h"

namespace xf::cuda {

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

/// A NaN loses against a number.
struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

/// Replaces each of N values by the combination of those of all threads, the same bits in every thread. The
/// block is a row of whole warps; every thread of it calls this.
template <class Combine, int N, class T>
__device__ void block_reduce(T (&value)[N]) {
  constexpr unsigned kLanes = 32, kMostWarps = 32;
  const Combine combine;
  for (int j = 0; j < N; ++j) {
    // Either order of two operands gives the same bits, so all lanes agree.
    for (int flip = kLanes / 2; flip > 0; flip /= 2)
      value[j] = combine(value[j], __shfl_xor_sync(~0U, value[j], flip));
  }
  const unsigned warps = blockDim.x / kLanes;
  if (warps == 1) return;
  SIMT_SHARED(T, of_warp, [N][kMostWarps]);
  if (threadIdx.x % kLanes == 0)
    for (int j = 0; j < N; ++j) of_warp[j][threadIdx.x / kLanes] = value[j];
  __syncthreads();
  for (int j = 0; j < N; ++j) {
    value[j] = of_warp[j][0];
    for (unsigned w = 1; w < warps; ++w) value[j] = combine(value[j], of_warp[j][w]);
  }
  __syncthreads();  // before the next call writes
}

}  // namespace xf::cuda
