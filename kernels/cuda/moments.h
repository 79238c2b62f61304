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

}  // namespace xf::cuda
