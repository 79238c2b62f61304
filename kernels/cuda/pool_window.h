#pragma once
// What the pooling kernels share: which positions a window covers, and how threads lie on a map.

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/columns.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/pool.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

/// A half-open range of positions along an axis.
struct PoolRange {
  int begin, end;
  __device__ int count() const { return end - begin; }
};

/// The first position of window `o`, which may lie in the padding.
__device__ __forceinline__ int window_start(const PoolAxis& a, int o) { return o * a.stride - a.before; }

/// The input positions in window `o`.
__device__ __forceinline__ PoolRange inputs_of(const PoolAxis& a, int o) {
  const int start = window_start(a, o), end = start + a.kernel;
  return {start > 0 ? start : 0, end < a.in ? end : a.in};
}

/// The windows that hold input position `i`.
__device__ __forceinline__ PoolRange windows_of(const PoolAxis& a, int i) {
  const int last = (i + a.before) / a.stride, beyond = i + a.before - a.kernel;
  return {beyond < 0 ? 0 : beyond / a.stride + 1, last + 1 < a.out ? last + 1 : a.out};
}

/// How many positions of window `o` an average divides by.
__device__ __forceinline__ int counted_in(const PoolAxis& a, int o) {
  const int start = window_start(a, o), end = start + a.kernel;
  return (end < a.counted_to ? end : a.counted_to) - (start > a.counted_from ? start : a.counted_from);
}

/// What an average multiplies its window's sum by.
__device__ __forceinline__ float average_weight(const PoolGeometry& g, int oh, int ow) {
  return 1.0F / static_cast<float>(counted_in(g.h, oh) * counted_in(g.w, ow));
}

constexpr int kPoolThreads = 256;
/// On a multiprocessor at least: leaves as many registers as keep a window's loads on the way.
constexpr int kPoolBlocks = 3;

/// The map that a launch lies on: what its threads need to find their place.
struct PoolPatches {
  int height, width;
  unsigned channel_blocks, across;  ///< of a patch; patches beside one another
};

/// A launch over a map of h x w positions: a block takes a patch of it, so that neighbouring windows find
/// their common positions in the first-level cache. Block: x channel vectors, y columns, z rows. Grid: x the
/// channel blocks of every patch, y images.
struct PoolLaunch {
  dim3 grid, block;
  PoolPatches patches;
};

/// Shares n out among the fewest groups of `most` or fewer: the size of a group, all but equal for all.
constexpr unsigned even_share(unsigned n, unsigned most) {
  const unsigned groups = (n + most - 1) / most;
  return (n + groups - 1) / groups;
}

inline PoolLaunch pool_launch(const PoolGeometry& g, int height, int width, int vector) {
  const auto up = [](unsigned n, unsigned by) { return (n + by - 1) / by; };
  const auto h = static_cast<unsigned>(height), w = static_cast<unsigned>(width);
  const unsigned vectors = up(static_cast<unsigned>(g.channels), static_cast<unsigned>(vector));
  // A whole line of the cache: 8 vectors of 16 bytes, or a warp of single elements. The rest of the block
  // goes to the patch.
  const unsigned x = even_share(vectors, vector > 1 ? 8 : 32), columns = even_share(w, 8);
  const unsigned rows = even_share(h, std::min(kPoolThreads / (x * columns), 64U));
  constexpr int64_t kMostImages = 65535;  // of a grid's y; threads go on to further images
  const PoolPatches patches{height, width, up(vectors, x), up(w, columns)};
  const dim3 grid(patches.channel_blocks * patches.across * up(h, rows),
                  static_cast<unsigned>(std::min(g.images, kMostImages)));
  return {grid, dim3(x, columns, rows), patches};
}

/// Calls body(image, row, column, c) for this thread's positions of a map and its first channel c.
template <int V, class Body>
__device__ __forceinline__ void for_positions(const PoolGeometry& g, const PoolPatches& p, const Body& body) {
  const unsigned channel_block = blockIdx.x % p.channel_blocks, patch = blockIdx.x / p.channel_blocks;
  const int c = static_cast<int>(channel_block * blockDim.x + threadIdx.x) * V;
  const int column = static_cast<int>(patch % p.across * blockDim.y + threadIdx.y);
  const int row = static_cast<int>(patch / p.across * blockDim.z + threadIdx.z);
  if (c >= g.channels || column >= p.width || row >= p.height) return;
  for (int64_t image = blockIdx.y; image < g.images; image += gridDim.y) body(image, row, column, c);
}

/// Where the rows of an activation lie.
struct RowsAt {
  const void* data;
  int64_t stride;
};

/// Whether vectors of channels fill and begin every row of two activations and of an argmax, which may be
/// absent.
template <class T>
bool whole_vectors(int channels, RowsAt a, RowsAt b, const uint8_t* argmax) {
  constexpr int V = kVector<T>;
  return channels % V == 0 && rows_aligned<T>(a.data, a.stride) && rows_aligned<T>(b.data, b.stride) &&
         reinterpret_cast<uintptr_t>(argmax) % V == 0;
}

}  // namespace xf::cuda
