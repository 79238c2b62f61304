// The mean over the positions of an image, and its gradient.
//
// Forward: sums_of_splits reads x once. A block takes up to 32 channel vectors of one image; its rows of
// threads share the pixels, four or more each, and are added in a fixed order. So maps of 7 x 7, where an
// image has few pixels and many channels, still give 8 threads a vector to hide the latency of memory. Maps
// of more than 1024 pixels are split among blocks as well, and mean_of_splits adds the splits, in order. No
// float atomics.
// Backward: a thread keeps its channels' gradient and writes it down the pixels.
//
// Bytes moved per element of x of e bytes: e in either direction; the splits' sums, 4 bytes a channel for 512
// pixels or more, stay in the second-level cache. The bound is the memory's bandwidth.

#include "kernels/cuda/global_avg_pool.h"

#include <algorithm>
#include <bit>

#include "kernels/cuda/columns.h"
#include "kernels/cuda/element.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int64_t kMostImages = 65535;  // of a grid's z; blocks go on to further images

unsigned grid_images(const ImageMaps& m) { return static_cast<unsigned>(std::min(m.images, kMostImages)); }

// How blocks share the pixels of an image. By the map's size alone, so that an image's mean is the same in
// every batch and on every device.
Splits splits_of(int64_t pixels) {
  if (pixels <= 1024) return {pixels, 1};
  const int64_t count = std::min<int64_t>((pixels + 511) / 512, 64), each = (pixels + count - 1) / count;
  return {each, (pixels + each - 1) / each};
}

// Sums for V channels.
template <int V>
struct ChannelSums {
  float of[V] = {};
};

template <int V>
__device__ void merge(ChannelSums<V>& a, const ChannelSums<V>& b) {
  for (int j = 0; j < V; ++j) a.of[j] += b.of[j];
}

// V floats between registers and memory, four at a time.
template <int V>
__device__ __forceinline__ ChannelSums<V> load_floats(const float* from) {
  constexpr int N = V < 4 ? V : 4;
  ChannelSums<V> x;
  for (int i = 0; i < V; i += N) {
    const auto pack = simt::load<simt::Pack<float, N>>(from + i);
    for (int j = 0; j < N; ++j) x.of[i + j] = pack.v[j];
  }
  return x;
}

template <int V>
__device__ __forceinline__ void store_floats(float* to, const ChannelSums<V>& x) {
  constexpr int N = V < 4 ? V : 4;
  for (int i = 0; i < V; i += N) {
    simt::Pack<float, N> pack;
    for (int j = 0; j < N; ++j) pack.v[j] = x.of[i + j];
    simt::store(to + i, pack);
  }
}

// Block (b, s, i): channels of tile b, pixels of split s, image i. Row i * gridDim.y + s of `sums` gets the
// sums, times `scale`.
template <class T, int V>
__global__ void __launch_bounds__(kTileThreads)
    sums_of_splits(ImageMaps m, const T* x, int64_t x_stride, int64_t split_pixels, float scale, float* sums,
                   int64_t sums_stride) {
  using Vector = simt::Pack<T, V>;
  constexpr int kAhead = 8;  // loads that a thread has under way: an unrolled loop would wait between them
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  const int64_t first = blockIdx.y * split_pixels;
  const int64_t last = first + split_pixels < m.pixels ? first + split_pixels : m.pixels;
  for (int64_t image = blockIdx.z; image < m.images; image += gridDim.z) {
    ChannelSums<V> mine;
    if (c < m.channels) {
      const T* from = x + image * m.pixels * x_stride + c;
      const int64_t step = blockDim.y;
      for (int64_t pixel = first + threadIdx.y; pixel < last; pixel += kAhead * step) {
        Vector ahead[kAhead];  // beyond the last pixel: that one again, and not added
        for (int k = 0; k < kAhead; ++k) {
          const int64_t at = pixel + k * step;
          ahead[k] = simt::load<Vector>(from + (at < last ? at : last - 1) * x_stride);
        }
        for (int k = 0; k < kAhead; ++k)
          for (int j = 0; j < V; ++j) mine.of[j] += pixel + k * step < last ? to_float(ahead[k].v[j]) : 0.0F;
      }
    }
    merge_column<kTileThreads>(mine);
    if (threadIdx.y != 0 || c >= m.channels) continue;
    for (int j = 0; j < V; ++j) mine.of[j] *= scale;
    store_floats<V>(sums + (image * gridDim.y + blockIdx.y) * sums_stride + c, mine);
  }
}

// A thread a mean.
__global__ void __launch_bounds__(kTileThreads)
    mean_of_splits(ImageMaps m, const float* sums, int64_t split_count, float scale, float* y,
                   int64_t y_stride) {
  const int64_t mean = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (mean >= m.images * m.channels) return;
  const int64_t image = mean / m.channels, c = mean % m.channels;
  const float* from = sums + image * split_count * m.channels + c;
  float sum = 0;
  SIMT_UNROLL(8)
  for (int64_t s = 0; s < split_count; ++s) sum += simt::load<float>(from + s * m.channels);
  simt::store(y + image * y_stride + c, sum * scale);
}

template <class T, int V>
__global__ void __launch_bounds__(kTileThreads)
    spread(ImageMaps m, const float* dy, int64_t dy_stride, float scale, T* dx, int64_t dx_stride) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  if (c >= m.channels) return;
  const int64_t step = int64_t{gridDim.y} * blockDim.y;
  for (int64_t image = blockIdx.z; image < m.images; image += gridDim.z) {
    const ChannelSums<V> g = load_floats<V>(dy + image * dy_stride + c);
    simt::Pack<T, V> out;
    for (int j = 0; j < V; ++j) out.v[j] = from_float<T>(g.of[j] * scale);
    T* to = dx + image * m.pixels * dx_stride + c;
    for (int64_t pixel = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; pixel < m.pixels; pixel += step)
      simt::store(to + pixel * dx_stride, out);
  }
}

// Rows of threads for this many pixels: four each, or more.
unsigned rows_of_threads(const Tile& b, int64_t pixels) {
  return std::bit_floor(static_cast<unsigned>(std::min<int64_t>(b.y, (pixels + 3) / 4)));
}

float inverse(int64_t pixels) { return 1.0F / static_cast<float>(pixels); }

template <class T, int V>
cudaError_t launch(const ImageMaps& m, const GlobalAvgPoolTensors& t, float* partial, cudaStream_t stream) {
  const Tile b = tile(m.channels, V);
  const Splits split = splits_of(m.pixels);
  const bool whole = split.count == 1;
  const cudaError_t status = simt::launch(
      &sums_of_splits<T, V>, dim3(b.blocks_x, static_cast<unsigned>(split.count), grid_images(m)),
      dim3(b.x, rows_of_threads(b, split.rows)), 0, stream, m, static_cast<const T*>(t.x), t.x_stride,
      split.rows, whole ? inverse(m.pixels) : 1.0F, whole ? t.y : partial, whole ? t.y_stride : m.channels);
  if (whole || status != cudaSuccess) return status;
  const auto blocks = static_cast<unsigned>((m.images * m.channels + kTileThreads - 1) / kTileThreads);
  return simt::launch(&mean_of_splits, dim3(blocks), dim3(kTileThreads), 0, stream, m, partial, split.count,
                      inverse(m.pixels), t.y, t.y_stride);
}

template <class T, int V>
cudaError_t launch_bwd(const ImageMaps& m, const GlobalAvgPoolBwdTensors& t, cudaStream_t stream) {
  Tile b = tile(m.channels, V);
  b.y = rows_of_threads(b, m.pixels);
  const dim3 blocks = walk(m.pixels, b);
  return simt::launch(&spread<T, V>, dim3(blocks.x, blocks.y, grid_images(m)), dim3(b.x, b.y), 0, stream, m,
                      t.dy, t.dy_stride, inverse(m.pixels), static_cast<T*>(t.dx), t.dx_stride);
}

// Whether vectors of channels fill and begin every row of an activation and of a row of floats an image.
template <class T>
bool whole_vectors(int channels, const void* x, int64_t x_stride, const float* y, int64_t y_stride) {
  return channels % kVector<T> == 0 && rows_aligned<T>(x, x_stride) && rows_aligned<float>(y, y_stride);
}

}  // namespace

size_t global_avg_pool_workspace(const ImageMaps& m) {
  const Splits split = splits_of(m.pixels);
  return split.count == 1 ? 0 : static_cast<size_t>(m.images * split.count * m.channels) * sizeof(float);
}

int global_avg_pool(const ImageMaps& m, const GlobalAvgPoolTensors& t, void* workspace, void* stream) {
  auto* partial = static_cast<float*>(workspace);
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(m.dtype, [&]<class T>() {
    return whole_vectors<T>(m.channels, t.x, t.x_stride, t.y, t.y_stride)
               ? launch<T, kVector<T>>(m, t, partial, queue)
               : launch<T, 1>(m, t, partial, queue);
  });
}

int global_avg_pool_bwd(const ImageMaps& m, const GlobalAvgPoolBwdTensors& t, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(m.dtype, [&]<class T>() {
    return whole_vectors<T>(m.channels, t.dx, t.dx_stride, t.dy, t.dy_stride)
               ? launch_bwd<T, kVector<T>>(m, t, queue)
               : launch_bwd<T, 1>(m, t, queue);
  });
}

}  // namespace xf::cuda
