// The gradients of pooling, gathered: a thread an input position and vector of channels sums what the windows
// that hold the position send back. No atomics; windows are always taken in row-major order.
//
// Threads lie on the input's map as those of pool.cu on the output's: the windows that neighbouring positions
// share are read from the first-level cache.
//
// Bytes moved to and from memory per input element of e bytes: e + e/s for an average of stride s in all (the
// product of both strides), e + (e + 1)/s for a maximum. The bound is the memory's bandwidth.
//
// occupancy: at least 37 %
// Waiting some 600 ns for its memory, a device keeps bandwidth * 600 ns on the way: 15 KB on each of an
// H100's 132 multiprocessors, 11 KB on an A100's 108. A thread has two vectors on the way, so the 768 threads
// of three blocks do. Three, and not the four that fewer registers would allow: those would spill.

#include "kernels/cuda/element.h"
#include "kernels/cuda/pool.h"
#include "kernels/cuda/pool_window.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

template <class T, int V, PoolKind K>
__global__ void __launch_bounds__(kPoolThreads, kPoolBlocks)
    gather_gradients(PoolGeometry g, PoolBwdTensors t, PoolPatches patches) {
  using Vector = simt::Pack<T, V>;
  for_positions<V>(g, patches, [&](int64_t image, int ih, int iw, int c) {
    const PoolRange rows = windows_of(g.h, ih), columns = windows_of(g.w, iw);
    float sum[V] = {};
    for (int oh = rows.begin; oh < rows.end; ++oh) {
      const int64_t line = (image * g.h.out + oh) * g.w.out;
      SIMT_UNROLL(2)
      for (int ow = columns.begin; ow < columns.end; ++ow) {
        const Vector dy = simt::load<Vector>(static_cast<const T*>(t.dy) + (line + ow) * t.dy_stride + c);
        if constexpr (K == PoolKind::max) {
          const auto chosen = simt::load<simt::Pack<uint8_t, V>>(t.argmax + (line + ow) * g.channels + c);
          const int here = (ih - window_start(g.h, oh)) * g.w.kernel + iw - window_start(g.w, ow);
          for (int j = 0; j < V; ++j)
            if (chosen.v[j] == here) sum[j] += to_float(dy.v[j]);
        } else {
          const float weight = average_weight(g, oh, ow);
          for (int j = 0; j < V; ++j) sum[j] += to_float(dy.v[j]) * weight;
        }
      }
    }
    Vector out;
    for (int j = 0; j < V; ++j) out.v[j] = from_float<T>(sum[j]);
    simt::store(static_cast<T*>(t.dx) + ((image * g.h.in + ih) * g.w.in + iw) * t.dx_stride + c, out);
  });
}

template <class T, int V>
cudaError_t launch(const PoolGeometry& g, const PoolBwdTensors& t, cudaStream_t stream) {
  const PoolLaunch l = pool_launch(g, g.h.in, g.w.in, V);
  auto* kernel = g.kind == PoolKind::max ? &gather_gradients<T, V, PoolKind::max>
                                         : &gather_gradients<T, V, PoolKind::average>;
  return simt::launch(kernel, l.grid, l.block, 0, stream, g, t, l.patches);
}

}  // namespace

int pool_bwd(const PoolGeometry& g, const PoolBwdTensors& t, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(g.dtype, [&]<class T>() {
    return whole_vectors<T>(g.channels, {t.dy, t.dy_stride}, {t.dx, t.dx_stride}, t.argmax)
               ? launch<T, kVector<T>>(g, t, queue)
               : launch<T, 1>(g, t, queue);
  });
}

}  // namespace xf::cuda
