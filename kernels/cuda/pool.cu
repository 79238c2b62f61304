// Maximum and average pooling: one launch, a thread an output position and vector of channels.
//
// A block takes a patch of 8 x 4 output positions or so, of one cache line of channels. Overlapping windows
// of the patch meet in the first-level cache: of a 3 x 3 window at stride 1 each input element comes out of
// the second-level cache about 1.9 times instead of 9.
//
// Bytes moved to and from memory per input element of e bytes: e + e/s for an average of stride s in all (the
// product of both strides), e + (e + 1)/s for a maximum whose positions are kept. The bound is the memory's
// bandwidth; at stride 1 the first-level cache, which serves every window, comes next.
//
// occupancy: at least 37 %
// Waiting some 600 ns for its memory, a device keeps bandwidth * 600 ns on the way: 15 KB on each of an
// H100's 132 multiprocessors, 11 KB on an A100's 108. A thread has the nine vectors of a 3 x 3 window on the
// way, so the 768 threads of three blocks do. Three, and not the four that fewer registers would allow: those
// would spill.

#include "kernels/cuda/pool.h"

#include "kernels/cuda/element.h"
#include "kernels/cuda/pool_window.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

// The input under one window, for the channels from that of `first` on.
template <class T>
struct Window {
  const T* first;        // its first input position
  int64_t line, stride;  // elements from row to row, and from column to column
  int height, width;
  int corner, kernel_width;  // where in the kernel the first input position lies
};

// Side: the extent of a window that lies inside whole, where known, else 0: then loops have constant bounds,
// and all loads are under way at once.
template <class T, int V, int Side, bool Argmax>
__device__ __forceinline__ void maximum(const Window<T>& in, T* y, uint8_t* argmax) {
  using Vector = simt::Pack<T, V>;
  const int height = Side > 0 ? Side : in.height, width = Side > 0 ? Side : in.width;
  float best[V];
  int position[V];
  const Vector first = simt::load<Vector>(in.first);
  for (int j = 0; j < V; ++j) {
    best[j] = to_float(first.v[j]);
    position[j] = in.corner;
  }
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width; ++w) {
      const Vector here = simt::load<Vector>(in.first + h * in.line + w * in.stride);
      for (int j = 0; j < V; ++j) {
        const float v = to_float(here.v[j]);
        if (best[j] == best[j] && !(v <= best[j])) {  // higher, or the first NaN
          best[j] = v;
          position[j] = in.corner + h * in.kernel_width + w;
        }
      }
    }
  }
  Vector out;
  for (int j = 0; j < V; ++j) out.v[j] = from_float<T>(best[j]);
  simt::store(y, out);
  if constexpr (Argmax) {
    simt::Pack<uint8_t, V> where;
    for (int j = 0; j < V; ++j) where.v[j] = static_cast<uint8_t>(position[j]);
    simt::store(argmax, where);
  }
}

template <class T, int V, int Side>
__device__ __forceinline__ void average(const Window<T>& in, float weight, T* y) {
  using Vector = simt::Pack<T, V>;
  const int height = Side > 0 ? Side : in.height, width = Side > 0 ? Side : in.width;
  float sum[V] = {};
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width; ++w) {
      const Vector here = simt::load<Vector>(in.first + h * in.line + w * in.stride);
      for (int j = 0; j < V; ++j) sum[j] += to_float(here.v[j]);
    }
  }
  Vector out;
  for (int j = 0; j < V; ++j) out.v[j] = from_float<T>(sum[j] * weight);
  simt::store(y, out);
}

enum class Reduce : uint8_t { average, maximum, maximum_and_argmax };

template <class T, int V, int Side, Reduce R>
__device__ __forceinline__ void reduce(const Window<T>& in, float weight, T* y, uint8_t* argmax) {
  if constexpr (R == Reduce::average)
    average<T, V, Side>(in, weight, y);
  else
    maximum<T, V, Side, R == Reduce::maximum_and_argmax>(in, y, argmax);
}

template <class T, int V, Reduce R>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    pool_windows(PoolGeometry g, PoolTensors t, PoolPatches patches) {
  for_positions<V>(g, patches, [&](int64_t image, int oh, int ow, int c) {
    const PoolRange rows = inputs_of(g.h, oh), columns = inputs_of(g.w, ow);
    const int64_t pixel = (image * g.h.in + rows.begin) * g.w.in + columns.begin;
    const Window<T> in{
        static_cast<const T*>(t.x) + pixel * t.x_stride + c,
        g.w.in * t.x_stride,
        t.x_stride,
        rows.count(),
        columns.count(),
        (rows.begin - window_start(g.h, oh)) * g.w.kernel + columns.begin - window_start(g.w, ow),
        g.w.kernel};
    const int64_t row = (image * g.h.out + oh) * g.w.out + ow;
    T* y = static_cast<T*>(t.y) + row * t.y_stride + c;
    uint8_t* argmax = R == Reduce::maximum_and_argmax ? t.argmax + row * g.channels + c : nullptr;
    const float weight = R == Reduce::average ? average_weight(g, oh, ow) : 0;
    if (in.height == 3 && in.width == 3)
      reduce<T, V, 3, R>(in, weight, y, argmax);
    else if (in.height == 2 && in.width == 2)
      reduce<T, V, 2, R>(in, weight, y, argmax);
    else
      reduce<T, V, 0, R>(in, weight, y, argmax);
  });
}

template <class T, int V>
cudaError_t launch(const PoolGeometry& g, const PoolTensors& t, cudaStream_t stream) {
  const PoolLaunch l = pool_launch(g, g.h.out, g.w.out, V);
  const auto start = [&](auto* kernel) {
    return simt::launch(kernel, l.grid, l.block, 0, stream, g, t, l.patches);
  };
  if (g.kind == PoolKind::average) return start(&pool_windows<T, V, Reduce::average>);
  return t.argmax != nullptr ? start(&pool_windows<T, V, Reduce::maximum_and_argmax>)
                             : start(&pool_windows<T, V, Reduce::maximum>);
}

}  // namespace

int pool(const PoolGeometry& g, const PoolTensors& t, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(g.dtype, [&]<class T>() {
    return whole_vectors<T>(g.channels, {t.x, t.x_stride}, {t.y, t.y_stride}, t.argmax)
               ? launch<T, kVector<T>>(g, t, queue)
               : launch<T, 1>(g, t, queue);
  });
}

}  // namespace xf::cuda
