// Batch normalisation + residual + activation, forward (Ioffe & Szegedy 2015).
//
// occupancy: at least 50 %
// Waiting some 600 ns for its memory, a device keeps bandwidth * 600 ns on the way: 15 KB on each of an
// H100's 132 multiprocessors, 11 KB on an A100's 108, 5 KB on a T4's 40. A thread of `normalise` has a vector
// of 16 bytes on the way, so 950, 690 and 300 threads do: 46 %, 34 % and 29 % of the most. `moments_of_rows`
// has four.
//
// Mode batch takes three launches:
//   1. moments_of_splits reads x once. The rows are split among blocks. Each of a thread's n values enters
//      its sums as x - x0, where x0 is the first of them, so the sum of squares cancels by a factor of n at
//      most. Threads and blocks then merge (count, mean, squared deviations) pairwise, which is Welford's
//      update for whole sets (Chan, Golub, LeVeque 1979): the error grows with mean/deviation, not with its
//      square. The order is always the same: no float atomics.
//   2. merge_splits merges the blocks' moments, a column of threads a channel, and writes the statistics.
//   3. normalise reads x (and the residual) once more and writes y.
// Mode running is `normalise` alone.
//
// Bytes moved per element of e bytes: batch 3e (12 in f32, 6 in bf16 and f16), running 2e; a residual adds e.
// The moments of the splits, 16 bytes a channel and split of 32 rows or more, stay in the second-level cache.
// The bound is the memory's bandwidth; where x fits in that cache the second read of it is nearly free.

#include "kernels/cuda/bn_act.h"

#include "kernels/cuda/columns.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/moments.h"
#include "kernels/cuda/normalised.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

// Rows first, first + step … below last of the channels from c on.
template <class T, int V>
__device__ Moments<V> moments_of_rows(const T* x, int64_t stride, int c, int64_t first, int64_t last,
                                      unsigned step) {
  using Vector = simt::Pack<T, V>;
  Moments<V> m;
  if (first >= last) return m;
  float origin[V];
  const Vector start = simt::load<Vector>(x + first * stride + c);
  for (int j = 0; j < V; ++j) origin[j] = to_float(start.v[j]);
  int count = 1;
  SIMT_UNROLL(4)
  for (int64_t row = first + step; row < last; row += step) {
    const Vector here = simt::load<Vector>(x + row * stride + c);
    for (int j = 0; j < V; ++j) {
      const float d = to_float(here.v[j]) - origin[j];
      m.mean[j] += d;
      m.square[j] += d * d;
    }
    ++count;
  }
  m.count = static_cast<float>(count);
  for (int j = 0; j < V; ++j) {
    const float mean = m.mean[j] / m.count, square = m.square[j] - m.mean[j] * mean;
    m.mean[j] = origin[j] + mean;
    m.square[j] = square < 0 ? 0 : square;  // by rounding; not fmaxf, which would drop a NaN
  }
  return m;
}

// Block (b, s): channels of tile b, rows of split s. `partial` is [split][mean, square][channel].
template <class T, int V>
__global__ void __launch_bounds__(kTileThreads)
    moments_of_splits(const T* x, int64_t stride, int64_t rows, int channels, int64_t split_rows,
                      float* partial) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  const int64_t first = blockIdx.y * split_rows;
  const int64_t last = first + split_rows < rows ? first + split_rows : rows;
  Moments<V> m;
  if (c < channels) m = moments_of_rows<T, V>(x, stride, c, first + threadIdx.y, last, blockDim.y);
  merge_column<kTileThreads>(m);
  if (threadIdx.y == 0 && c < channels) {
    float* mean = partial + int64_t{blockIdx.y} * 2 * channels + c;
    for (int j = 0; j < V; ++j) {
      simt::store(mean + j, m.mean[j]);
      simt::store(mean + channels + j, m.square[j]);
    }
  }
}

constexpr unsigned kMergeColumns = 32, kMergeRows = 32;

__global__ void __launch_bounds__(kMergeColumns* kMergeRows)
    merge_splits(const float* partial, int64_t rows, int channels, int64_t split_rows, int64_t split_count,
                 float eps, float* mean, float* inv_std, BnRunning running) {
  const int c = static_cast<int>(blockIdx.x * kMergeColumns + threadIdx.x);
  Moments<1> m;
  if (c < channels) {
    for (int64_t s = threadIdx.y; s < split_count; s += kMergeRows) {
      const int64_t left = rows - s * split_rows;
      const float* from = partial + s * 2 * channels + c;
      Moments<1> other;
      other.count = static_cast<float>(left < split_rows ? left : split_rows);
      other.mean[0] = simt::load<float>(from);
      other.square[0] = simt::load<float>(from + channels);
      merge(m, other);
    }
  }
  merge_column<kMergeColumns * kMergeRows>(m);
  if (threadIdx.y != 0 || c >= channels) return;
  const float count = static_cast<float>(rows), unbiased = m.square[0] / (rows > 1 ? count - 1 : 1);
  simt::store(mean + c, m.mean[0]);
  simt::store(inv_std + c, 1.0F / sqrtf(m.square[0] / count + eps));
  if (running.new_mean != nullptr) {
    const float old = simt::load<float>(running.mean + c);
    simt::store(running.new_mean + c, old + running.momentum * (m.mean[0] - old));
  }
  if (running.new_variance != nullptr) {
    const float old = simt::load<float>(running.variance + c);
    simt::store(running.new_variance + c, old + running.momentum * (unbiased - old));
  }
}

// What `normalise` finds beside the means.
enum class Spread : uint8_t { inv_std, variance };

// Each thread keeps to its V channels and walks down the rows.
template <class T, int V, Spread S>
__global__ void __launch_bounds__(kTileThreads)
    normalise(BnActTensors t, const float* means, const float* spreads) {
  using Vector = simt::Pack<T, V>;
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  if (c >= t.channels) return;
  float mean[V], scale[V], beta[V];
  for (int j = 0; j < V; ++j) {
    mean[j] = simt::load<float>(means + c + j);
    scale[j] = simt::load<float>(spreads + c + j);
    beta[j] = simt::load<float>(t.beta + c + j);
    if constexpr (S == Spread::variance) {
      scale[j] = 1.0F / sqrtf(scale[j] + t.eps);
      if (blockIdx.y == 0 && threadIdx.y == 0 && t.mean != nullptr) simt::store(t.mean + c + j, mean[j]);
      if (blockIdx.y == 0 && threadIdx.y == 0 && t.inv_std != nullptr)
        simt::store(t.inv_std + c + j, scale[j]);
    }
    if (t.gamma != nullptr) scale[j] *= simt::load<float>(t.gamma + c + j);
  }
  const T* x = static_cast<const T*>(t.x);
  const T* residual = static_cast<const T*>(t.residual);
  T* y = static_cast<T*>(t.y);
  const int64_t step = int64_t{gridDim.y} * blockDim.y;
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < t.rows; row += step) {
    const Vector in = simt::load<Vector>(x + row * t.x_stride + c);
    float value[V];
    for (int j = 0; j < V; ++j) value[j] = normalised(to_float(in.v[j]) - mean[j], scale[j], beta[j]);
    if (t.residual != nullptr) {
      const Vector more = simt::load<Vector>(residual + row * t.residual_stride + c);
      for (int j = 0; j < V; ++j) value[j] += to_float(more.v[j]);
    }
    Vector out;
    for (int j = 0; j < V; ++j) {
      if (t.act == Activation::relu && value[j] < 0) value[j] = 0;  // a NaN stays
      out.v[j] = from_float<T>(value[j]);
    }
    simt::store(y + row * t.y_stride + c, out);
  }
}

template <class T, int V, Spread S>
cudaError_t launch_normalise(const BnActTensors& t, const float* means, const float* spreads,
                             cudaStream_t stream) {
  const Tile b = tile(t.channels, V);
  return simt::launch(&normalise<T, V, S>, walk(t.rows, b), dim3(b.x, b.y), 0, stream, t, means, spreads);
}

template <class T, int V>
cudaError_t launch_batch(const BnActTensors& t, const BnRunning& running, float* partial,
                         cudaStream_t stream) {
  const Tile b = tile(t.channels, V);
  const Splits split = splits(t.rows, t.channels);
  cudaError_t status = simt::launch(
      &moments_of_splits<T, V>, dim3(b.blocks_x, static_cast<unsigned>(split.count)), dim3(b.x, b.y), 0,
      stream, static_cast<const T*>(t.x), t.x_stride, t.rows, t.channels, split.rows, partial);
  if (status != cudaSuccess) return status;
  const unsigned columns = (static_cast<unsigned>(t.channels) + kMergeColumns - 1) / kMergeColumns;
  float* mean = t.mean != nullptr ? t.mean : partial + split.count * 2 * t.channels;
  float* inv_std = t.inv_std != nullptr ? t.inv_std : partial + (split.count * 2 + 1) * t.channels;
  status = simt::launch(&merge_splits, dim3(columns), dim3(kMergeColumns, kMergeRows), 0, stream, partial,
                        t.rows, t.channels, split.rows, split.count, t.eps, mean, inv_std, running);
  if (status != cudaSuccess) return status;
  return launch_normalise<T, V, Spread::inv_std>(t, mean, inv_std, stream);
}

// Whether rows hold whole vectors, each in its place.
template <class T>
bool vectorises(const BnActTensors& t) {
  return t.channels % kVector<T> == 0 && rows_aligned<T>(t.x, t.x_stride) &&
         rows_aligned<T>(t.residual, t.residual_stride) && rows_aligned<T>(t.y, t.y_stride);
}

}  // namespace

size_t bn_act_workspace(int64_t rows, int channels) {
  // The splits' moments, then a mean and an inv_std for the caller who wants none.
  return static_cast<size_t>((splits(rows, channels).count + 1) * 2 * channels) * sizeof(float);
}

int bn_act_batch(const BnActTensors& t, const BnRunning& running, void* workspace, void* stream) {
  auto* partial = static_cast<float*>(workspace);
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(t.dtype, [&]<class T>() {
    return vectorises<T>(t) ? launch_batch<T, kVector<T>>(t, running, partial, queue)
                            : launch_batch<T, 1>(t, running, partial, queue);
  });
}

int bn_act_running(const BnActTensors& t, const BnRunning& r, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(t.dtype, [&]<class T>() {
    return vectorises<T>(t) ? launch_normalise<T, kVector<T>, Spread::variance>(t, r.mean, r.variance, queue)
                            : launch_normalise<T, 1, Spread::variance>(t, r.mean, r.variance, queue);
  });
}

}  // namespace xf::cuda
