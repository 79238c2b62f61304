// t-SNE's work on all pairs of points (van der Maaten & Hinton 2008).
//
// tsne_distances: a block has 64 x 64 pairs, a thread 4 x 4 of them; the points pass through shared memory 16
// numbers at a time. Differences, not products: nothing cancels. The bound is arithmetic: two operations a
// number and pair.
// tsne_conditional: a block has a row, which it reads again and again (from the second-level cache, if the
// first does not hold it) to find the b that gives exp(-b d) its entropy, by halving; once for all, so its
// speed matters little.
// tsne_forces: two launches at every iteration. push_of_split: a thread has a point, a block 128 of them, and
// takes one split of all points through shared memory, 128 at a time; the bound is arithmetic, about 20
// operations a pair. gather: a warp has a point: it adds up the splits, and the attraction of the point's
// kin, whose coordinates it reads wherever they lie. Sums are always taken in the same order, without
// atomics.

#include "kernels/cuda/tsne.h"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/block_reduce.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr unsigned kSide = 16, kEach = 4, kTile = kSide * kEach, kDeep = 16;

__device__ float number_of(const TsnePoints& points, int64_t point, int64_t d) {
  return point < points.count && d < points.dims ? simt::load<float>(points.values + point * points.dims + d)
                                                 : 0.0F;
}

__global__ void __launch_bounds__(kSide* kSide)
    distances_of_tile(TsnePoints points, int64_t first, int64_t rows, float* squares) {
  // One column more: the threads that fill a row of numbers write to different banks.
  SIMT_SHARED(float, here, [kDeep][kTile + 1]);
  SIMT_SHARED(float, there, [kDeep][kTile + 1]);
  const int64_t row0 = int64_t{blockIdx.y} * kTile, column0 = int64_t{blockIdx.x} * kTile;
  float sums[kEach][kEach] = {};
  for (int64_t d = 0; d < points.dims; d += kDeep) {
    for (unsigned k = 0; k < kEach; ++k) {
      const unsigned point = threadIdx.y + k * kSide;
      here[threadIdx.x][point] = number_of(points, first + row0 + point, d + threadIdx.x);
      there[threadIdx.x][point] = number_of(points, column0 + point, d + threadIdx.x);
    }
    __syncthreads();
    for (unsigned k = 0; k < kDeep; ++k) {
      for (unsigned r = 0; r < kEach; ++r) {
        const float x = here[k][threadIdx.y + r * kSide];
        for (unsigned c = 0; c < kEach; ++c) {
          const float difference = x - there[k][threadIdx.x + c * kSide];
          sums[r][c] += difference * difference;
        }
      }
    }
    __syncthreads();
  }
  for (unsigned r = 0; r < kEach; ++r)
    for (unsigned c = 0; c < kEach; ++c) {
      const int64_t row = row0 + threadIdx.y + r * kSide, column = column0 + threadIdx.x + c * kSide;
      if (row < rows && column < points.count) simt::store(squares + row * points.count + column, sums[r][c]);
    }
}

constexpr unsigned kRowThreads = 256;

/// A row of squared distances without the point itself.
struct Row {
  const float* values;
  int64_t self, count;
};

template <class Body>
__device__ void for_others(const Row& row, Body body) {
  for (int64_t j = threadIdx.x; j < row.count; j += blockDim.x)
    if (j != row.self) body(simt::load<float>(row.values + j));
}

__device__ float from_bits(unsigned bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// The largest of the `nearest` smallest distances, which order as their bits do: found bit by bit.
__device__ float limit_of(const Row& row, int64_t nearest) {
  unsigned found = 0;
  for (unsigned bit = 1U << 30; bit != 0; bit >>= 1) {
    // All that are below the candidate: too few, if the limit is not.
    const float candidate = from_bits(found | bit);
    unsigned below[1] = {};
    for_others(row, [&](float d) { below[0] += d < candidate ? 1 : 0; });
    block_reduce<Plus>(below);
    if (int64_t{below[0]} < nearest) found |= bit;
  }
  return from_bits(found);
}

struct Shares {
  float sum, entropy;
};

__device__ Shares shares(const Row& row, float smallest, float limit, float b) {
  float sums[2] = {};
  for_others(row, [&](float d) {
    if (d > limit) return;
    const float e = expf(b * (smallest - d));
    sums[0] += e;
    sums[1] += e * (d - smallest);
  });
  block_reduce<Plus>(sums);
  return {sums[0], logf(sums[0]) + b * sums[1] / sums[0]};
}

__global__ void __launch_bounds__(kRowThreads) conditional_of_row(TsneRows t) {
  constexpr float kTolerance = 1e-5F, kMost = 1e30F;
  constexpr int kSteps = 100;
  float* values = t.values + blockIdx.x * t.points;
  const Row row{values, t.first + blockIdx.x, t.points};
  const float limit = t.nearest < t.points - 1 ? limit_of(row, t.nearest) : INFINITY;
  float smallest[1] = {-INFINITY};  // negative: the reduction finds the largest
  float sums[2] = {};
  for_others(row, [&](float d) { smallest[0] = fmaxf(smallest[0], -d); });
  block_reduce<Larger>(smallest);
  smallest[0] = -smallest[0];
  for_others(row, [&](float d) {
    if (d > limit) return;
    sums[0] += d - smallest[0];
    sums[1] += 1;
  });
  block_reduce<Plus>(sums);
  // The entropy falls as b grows: a bracket, then halves of it.
  float low = 0, high = 0, b = sums[0] > 0 ? sums[1] / sums[0] : 0;
  Shares now{};
  for (int step = 0; step < kSteps; ++step) {
    now = shares(row, smallest[0], limit, b);
    if (b == 0 || fabsf(now.entropy - t.entropy) < kTolerance) break;
    (now.entropy > t.entropy ? low : high) = b;
    const float next = high == 0 ? 2 * b : (low + high) / 2;
    if (next == b || next > kMost) break;
    b = next;
  }
  for (int64_t j = threadIdx.x; j < t.points; j += blockDim.x) {
    const float d = simt::load<float>(values + j);
    const bool share = j != row.self && d <= limit;
    simt::store(values + j, share ? expf(b * (smallest[0] - d)) / now.sum : 0.0F);
  }
}

constexpr unsigned kPoints = 128;  // of a block, and of a tile
constexpr int kSums = 4;           // three coordinates of the repulsion, and the normalisation

int64_t blocks_of(int64_t points) { return (points + kPoints - 1) / kPoints; }

// Blocks enough to fill a large device twice, by the number of points alone.
int64_t splits_of(int64_t points) {
  constexpr int64_t kBlocks = 2048;
  return std::clamp<int64_t>(kBlocks / blocks_of(points), 1, blocks_of(points));
}

// partial: [split][sum][point].
__global__ void __launch_bounds__(kPoints)
    push_of_split(const float* map, int64_t points, int64_t split_tiles, float* partial) {
  SIMT_SHARED(float, others, [3][kPoints]);
  const int64_t i = int64_t{blockIdx.x} * kPoints + threadIdx.x;
  float here[3] = {}, sums[kSums] = {};
  for (int a = 0; a < 3; ++a)
    if (i < points) here[a] = simt::load<float>(map + a * points + i);
  const int64_t first = blockIdx.y * split_tiles * kPoints;
  const int64_t end = first + split_tiles * kPoints < points ? first + split_tiles * kPoints : points;
  for (int64_t tile = first; tile < end; tile += kPoints) {
    const int64_t mine = tile + threadIdx.x;
    for (int a = 0; a < 3; ++a)
      others[a][threadIdx.x] = mine < end ? simt::load<float>(map + a * points + mine) : 0.0F;
    __syncthreads();
    const auto count = static_cast<unsigned>(end - tile < kPoints ? end - tile : kPoints);
    for (unsigned k = 0; k < count; ++k) {
      const float x = here[0] - others[0][k], y = here[1] - others[1][k], z = here[2] - others[2][k];
      const float w = tile + k == i ? 0.0F : 1.0F / (1.0F + x * x + y * y + z * z);
      const float push = w * w;
      sums[0] += push * x;
      sums[1] += push * y;
      sums[2] += push * z;
      sums[3] += w;
    }
    __syncthreads();
  }
  if (i >= points) return;
  for (int s = 0; s < kSums; ++s)
    simt::store(partial + (int64_t{blockIdx.y} * kSums + s) * points + i, sums[s]);
}

constexpr unsigned kLanes = 32, kWarps = 4;

__global__ void __launch_bounds__(kLanes* kWarps)
    gather(TsneMapForces t, const float* partial, int64_t split_count) {
  const int64_t i = int64_t{blockIdx.x} * kWarps + threadIdx.y;
  if (i >= t.points) return;  // the whole warp
  float here[3], pull[3] = {};
  for (int a = 0; a < 3; ++a) here[a] = simt::load<float>(t.map + a * t.points + i);
  const int64_t end = simt::load<int64_t>(t.begin + i + 1);
  for (int64_t k = simt::load<int64_t>(t.begin + i) + threadIdx.x; k < end; k += kLanes) {
    const int64_t j = simt::load<int32_t>(t.other + k);
    float difference[3], square = 0;
    for (int a = 0; a < 3; ++a) {
      difference[a] = here[a] - simt::load<float>(t.map + a * t.points + j);
      square += difference[a] * difference[a];
    }
    const float w = simt::load<float>(t.p + k) / (1.0F + square);
    for (int a = 0; a < 3; ++a) pull[a] += w * difference[a];
  }
  for (float& sum : pull)
    for (int flip = kLanes / 2; flip > 0; flip /= 2) sum += __shfl_xor_sync(~0U, sum, flip);
  if (threadIdx.x >= kSums) return;
  // A lane for each of the repulsion's coordinates and the normalisation; the first three write the
  // attraction.
  float sum = 0;
  for (int64_t s = 0; s < split_count; ++s)
    sum += simt::load<float>(partial + (s * kSums + threadIdx.x) * t.points + i);
  if (threadIdx.x == 3) {
    simt::store(t.normalisation + i, sum);
    return;
  }
  const float mine = threadIdx.x == 0 ? pull[0] : threadIdx.x == 1 ? pull[1] : pull[2];
  simt::store(t.repulsion + threadIdx.x * t.points + i, sum);
  simt::store(t.attraction + threadIdx.x * t.points + i, mine);
}

}  // namespace

int tsne_distances(const TsnePoints& points, int64_t first, int64_t rows, float* squares, void* stream) {
  const auto tiles = [](int64_t count) { return static_cast<unsigned>((count + kTile - 1) / kTile); };
  return simt::launch(&distances_of_tile, dim3(tiles(points.count), tiles(rows)), dim3(kSide, kSide), 0,
                      static_cast<cudaStream_t>(stream), points, first, rows, squares);
}

int tsne_conditional(const TsneRows& rows, void* stream) {
  return simt::launch(&conditional_of_row, dim3(static_cast<unsigned>(rows.rows)), dim3(kRowThreads), 0,
                      static_cast<cudaStream_t>(stream), rows);
}

size_t tsne_forces_workspace(int64_t points) {
  return static_cast<size_t>(splits_of(points) * kSums * points) * sizeof(float);
}

int tsne_forces(const TsneMapForces& t, void* workspace, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  auto* partial = static_cast<float*>(workspace);
  const int64_t blocks = blocks_of(t.points);
  const int64_t split_tiles = (blocks + splits_of(t.points) - 1) / splits_of(t.points);
  const int64_t splits = (blocks + split_tiles - 1) / split_tiles;
  const cudaError_t status =
      simt::launch(&push_of_split, dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(splits)),
                   dim3(kPoints), 0, queue, t.map, t.points, split_tiles, partial);
  if (status != cudaSuccess) return status;
  return simt::launch(&gather, dim3(static_cast<unsigned>((t.points + kWarps - 1) / kWarps)),
                      dim3(kLanes, kWarps), 0, queue, t, partial, splits);
}

}  // namespace xf::cuda
