// A bias's gradient: the sum over all pixels, per channel, in f32.
//
// Two launches: sums_of_splits reads dy once, the rows split among blocks; total_sums adds up the splits.
// Always in the same order, without float atomics.
//
// Bytes moved per element of e bytes: e. The sums of the splits, 4 bytes a channel and split of 32 rows or
// more, stay in the second-level cache. The bound is the memory's bandwidth.

#include "kernels/cuda/bias_grad.h"

#include "kernels/cuda/columns.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/sums.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

// Block (b, s): channels of tile b, rows of split s.
template <class T, int V>
__global__ void __launch_bounds__(kTileThreads)
    sums_of_splits(BiasGradTensors t, int64_t split_rows, float* partial) {
  using Vector = simt::Pack<T, V>;
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  const int64_t first = blockIdx.y * split_rows;
  const int64_t last = first + split_rows < t.rows ? first + split_rows : t.rows;
  Sums<1, V> sums;
  if (c < t.channels) {
    SIMT_UNROLL(4)
    for (int64_t row = first + threadIdx.y; row < last; row += blockDim.y) {
      const Vector here = simt::load<Vector>(static_cast<const T*>(t.dy) + row * t.stride + c);
      for (int j = 0; j < V; ++j) sums.of[0][j] += to_float(here.v[j]);
    }
  }
  leave_sums(sums, c, t.channels, partial);
}

__global__ void __launch_bounds__(kTotalColumns* kTotalRows)
    total_sums(const float* partial, int64_t split_count, int channels, float* db) {
  const int c = static_cast<int>(blockIdx.x * kTotalColumns + threadIdx.x);
  const Sums<1, 1> total = total_of_splits<1>(partial, split_count, c, channels);
  if (threadIdx.y == 0 && c < channels) simt::store(db + c, total.of[0][0]);
}

template <class T, int V>
cudaError_t launch(const BiasGradTensors& t, float* partial, cudaStream_t stream) {
  const Tile b = tile(t.channels, V);
  const Splits split = splits(t.rows, t.channels);
  const cudaError_t status =
      simt::launch(&sums_of_splits<T, V>, dim3(b.blocks_x, static_cast<unsigned>(split.count)),
                   dim3(b.x, b.y), 0, stream, t, split.rows, partial);
  if (status != cudaSuccess) return status;
  return simt::launch(&total_sums, total_grid(t.channels), dim3(kTotalColumns, kTotalRows), 0, stream,
                      partial, split.count, t.channels, t.db);
}

}  // namespace

size_t bias_grad_workspace(int64_t rows, int channels) {
  return partial_sums(1, splits(rows, channels), channels) * sizeof(float);
}

int bias_grad(const BiasGradTensors& t, void* workspace, void* stream) {
  auto* partial = static_cast<float*>(workspace);
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(t.dtype, [&]<class T>() {
    const bool vectors = t.channels % kVector<T> == 0 && rows_aligned<T>(t.dy, t.stride);
    return vectors ? launch<T, kVector<T>>(t, partial, queue) : launch<T, 1>(t, partial, queue);
  });
}

}  // namespace xf::cuda
