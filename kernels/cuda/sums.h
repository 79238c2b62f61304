#pragma once
// Sums over the rows of a matrix, in two steps and always in the same order: the blocks of the first launch
// leave those of their split, the second adds the splits, a column of threads a channel.

#include "kernels/cuda/columns.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

/// N sums for each of V channels.
template <int N, int V>
struct Sums {
  float of[N][V] = {};
};

/// Takes b into a.
template <int N, int V>
__device__ void merge(Sums<N, V>& a, const Sums<N, V>& b) {
  for (int n = 0; n < N; ++n)
    for (int j = 0; j < V; ++j) a.of[n][j] += b.of[n][j];
}

/// Floats that the splits' sums take: [split][N][channel].
constexpr size_t partial_sums(int n, const Splits& s, int channels) {
  return static_cast<size_t>(s.count) * static_cast<size_t>(n) * static_cast<size_t>(channels);
}

/// First launch: adds up the block's threads and leaves the sums of its split, blockIdx.y, for the channels
/// from c on. Every thread of the block calls it.
template <int N, int V>
__device__ void leave_sums(Sums<N, V>& mine, int c, int channels, float* partial) {
  merge_column<kTileThreads>(mine);
  if (threadIdx.y != 0 || c >= channels) return;
  float* to = partial + int64_t{blockIdx.y} * N * channels + c;
  for (int n = 0; n < N; ++n)
    for (int j = 0; j < V; ++j) simt::store(to + n * channels + j, mine.of[n][j]);
}

/// A block of the second launch: columns of threads, a channel each.
constexpr unsigned kTotalColumns = 32, kTotalRows = 32;

/// Blocks of the second launch.
inline dim3 total_grid(int channels) {
  return {(static_cast<unsigned>(channels) + kTotalColumns - 1) / kTotalColumns};
}

/// Second launch: the sums over all splits of channel c, in row 0 of the block. Every thread of the block
/// calls it.
template <int N>
__device__ Sums<N, 1> total_of_splits(const float* partial, int64_t split_count, int c, int channels) {
  Sums<N, 1> total;
  if (c < channels) {
    for (int64_t s = threadIdx.y; s < split_count; s += kTotalRows)
      for (int n = 0; n < N; ++n) total.of[n][0] += simt::load<float>(partial + (s * N + n) * channels + c);
  }
  merge_column<kTotalColumns * kTotalRows>(total);
  return total;
}

}  // namespace xf::cuda
