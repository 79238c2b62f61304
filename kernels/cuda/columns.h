#pragma once
// How kernels lie on a row-major matrix whose rows are pixels and whose columns are channels.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/cuda/element.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

/// Threads of a block that lies on the matrix, at most.
constexpr int kTileThreads = 256;

/// A block on the matrix: x threads along the channels, some channels each, and y (a power of two) along the
/// rows. blocks_x of them span the channels; threads beyond the last channel idle.
struct Tile {
  unsigned x, y, blocks_x;
};

/// The tile whose threads keep to `vector` channels each.
inline Tile tile(int channels, int vector) {
  const unsigned vectors = static_cast<unsigned>(channels + vector - 1) / static_cast<unsigned>(vector);
  const unsigned blocks = (vectors + 31) / 32, x = (vectors + blocks - 1) / blocks;
  return {x, std::bit_floor(kTileThreads / x), blocks};
}

/// A reduction over the rows, shared among `count` rows of blocks: `rows` rows each, the last one the rest.
struct Splits {
  int64_t rows, count;
};

/// Enough work to outweigh the merging, and blocks enough to fill any device. By shape alone, so that every
/// device sums in the same order.
inline Splits splits(int64_t rows, int channels) {
  const int64_t most = std::clamp<int64_t>((int64_t{1} << 17) / channels, 1, 1024);
  const int64_t least_rows = std::max<int64_t>(4096 / channels, 32);
  const int64_t each = std::max((rows + most - 1) / most, least_rows);
  return {each, (rows + each - 1) / each};
}

/// Blocks for threads that walk down the rows with the grid's height as their step: four rows a thread or
/// more.
inline dim3 walk(int64_t rows, const Tile& t) {
  const int64_t rows_of_blocks = (rows + 4 * t.y - 1) / (4 * t.y);
  const int64_t most = std::max<int64_t>(4096 / t.blocks_x, 1);
  return {t.blocks_x, static_cast<unsigned>(std::min(rows_of_blocks, most))};
}

/// Whether every row of the matrix at `data` begins on 16 bytes. An absent one does.
template <class T>
bool rows_aligned(const void* data, int64_t stride) {
  return data == nullptr || (reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride % kVector<T> == 0);
}

/// Merges the values of the threads of one column (equal threadIdx.x) into that of row 0, in a fixed order,
/// by merge(Value&, const Value&). Value consists of floats. blockDim.y is a power of two; the block has
/// `Threads` threads or fewer. Every thread of the block calls it.
template <int Threads, class Value>
__device__ void merge_column(Value& value) {
  static_assert(std::is_trivially_copyable_v<Value> && alignof(Value) == alignof(float));
  constexpr int kFloats = sizeof(Value) / sizeof(float);
  SIMT_SHARED(float, shared, [kFloats][Threads / 2]);
  const unsigned row = threadIdx.y;
  float numbers[kFloats];
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    if (row >= half && row < 2 * half) {
      const unsigned slot = (row - half) * blockDim.x + threadIdx.x;
      std::memcpy(numbers, &value, sizeof value);
      for (int i = 0; i < kFloats; ++i) shared[i][slot] = numbers[i];
    }
    __syncthreads();
    if (row < half) {
      const unsigned slot = row * blockDim.x + threadIdx.x;
      for (int i = 0; i < kFloats; ++i) numbers[i] = shared[i][slot];
      Value other;
      std::memcpy(&other, numbers, sizeof other);
      merge(value, other);
    }
    __syncthreads();
  }
}

}  // namespace xf::cuda
