#pragma once
// Mean and squared deviations of sets of numbers, merged set by set (Chan, Golub, LeVeque 1979).

#include "kernels/simt/simt.h"

namespace xf::cuda {

/// Moments of one set of values for each of V channels. A count beyond 2^24 rounds, by 1e-7 of itself.
template <int V>
struct Moments {
  float count = 0;
  float mean[V] = {};
  float square[V] = {};  ///< the sum of squared deviations from the mean
};

/// Takes b into a.
template <int V>
__device__ void merge(Moments<V>& a, const Moments<V>& b) {
  if (b.count == 0) return;
  const float count = a.count + b.count, share = b.count / count;
  for (int j = 0; j < V; ++j) {
    const float apart = b.mean[j] - a.mean[j];
    a.mean[j] += apart * share;
    a.square[j] += b.square[j] + apart * apart * a.count * share;
  }
  a.count = count;
}

/// Merges the moments of the threads of one column (equal threadIdx.x) into that of row 0, in a fixed order.
/// blockDim.y is a power of two; the block has `Threads` threads or fewer. Every thread of the block calls
/// it.
template <int V, int Threads>
__device__ void merge_column(Moments<V>& m) {
  SIMT_SHARED(float, count, [Threads / 2]);
  SIMT_SHARED(float, mean, [V][Threads / 2]);
  SIMT_SHARED(float, square, [V][Threads / 2]);
  const unsigned row = threadIdx.y;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    if (row >= half && row < 2 * half) {
      const unsigned slot = (row - half) * blockDim.x + threadIdx.x;
      count[slot] = m.count;
      for (int j = 0; j < V; ++j) {
        mean[j][slot] = m.mean[j];
        square[j][slot] = m.square[j];
      }
    }
    __syncthreads();
    if (row < half) {
      const unsigned slot = row * blockDim.x + threadIdx.x;
      Moments<V> other;
      other.count = count[slot];
      for (int j = 0; j < V; ++j) {
        other.mean[j] = mean[j][slot];
        other.square[j] = square[j][slot];
      }
      merge(m, other);
    }
    __syncthreads();
  }
}

}  // namespace xf::cuda
