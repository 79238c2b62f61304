// The gradient of batch normalisation + residual + activation (Ioffe & Szegedy 2015).
//
// With dz = dy where the activation was on and 0 elsewhere, n rows, and x' = (x - mean) * inv_std:
//   dbeta = sum(dz), dgamma = sum(dz * x'), dresidual = dz,
//   dx = gamma * inv_std * (dz - (dbeta + x' * dgamma) / n), without the quotient in mode running.
// Three launches:
//   1. sums_of_splits reads dy, x and what tells the sign, the rows split among blocks: dz and dz * (x -
//   mean)
//      are summed about the mean that the forward pass found, so that nothing large cancels.
//   2. total_sums adds up the splits and writes dbeta and dgamma.
//   3. differentiate reads again and writes dx and dresidual.
// Mode running without dgamma and dbeta is `differentiate` alone, which then needs x for the sign only;
// without dx and dresidual it is left out.
//
// Bytes moved per element of e bytes, in mode batch: 5e where the sign comes from x (20 in f32, 10 in bf16
// and f16) or there is no activation, 7e where it comes from y; dresidual adds e. The sums of the splits, 8
// bytes a channel and split of 32 rows or more, stay in the second-level cache. The bound is the memory's
// bandwidth; operands that fit in that cache together are nearly free to read again.
//
// occupancy: at least 37 %
// Waiting some 600 ns for its memory, a device keeps bandwidth * 600 ns on the way: 15 KB on each of an
// H100's 132 multiprocessors, 11 KB on an A100's 108. A thread has two or three vectors of 16 bytes on the
// way, so the 768 threads of three blocks do. Three, and not the four that fewer registers would allow: those
// would spill.

#include "kernels/cuda/bn_act_bwd.h"

#include "kernels/cuda/columns.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/normalised.h"
#include "kernels/cuda/sums.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int kBlocks = 3;  // on a multiprocessor at least: enough, see above

// What tells where the activation was on.
enum class Sign : uint8_t { none, of_y, of_x };

// What a thread keeps of its V channels.
template <int V>
struct Channels {
  float mean[V], scale[V], beta[V];
};

template <int V, Sign S>
__device__ Channels<V> channels_from(const BnActBwdTensors& t, int c) {
  Channels<V> k;
  for (int j = 0; j < V; ++j) {
    k.mean[j] = simt::load<float>(t.mean + c + j);
    k.scale[j] = simt::load<float>(t.inv_std + c + j);
    if (t.gamma != nullptr) k.scale[j] *= simt::load<float>(t.gamma + c + j);
    k.beta[j] = S == Sign::of_x ? simt::load<float>(t.beta + c + j) : 0;
  }
  return k;
}

// V channels of one row: dz, and x - mean where x is read.
template <int V>
struct Gradient {
  float dz[V], centred[V];
};

enum class ReadX : uint8_t { for_sign_alone, yes };

template <class T, int V, Sign S>
__device__ Gradient<V> gradient_at(const BnActBwdTensors& t, const Channels<V>& k, int64_t row, int c,
                                   ReadX read) {
  using Vector = simt::Pack<T, V>;
  const Vector dy = simt::load<Vector>(static_cast<const T*>(t.dy) + row * t.dy_stride + c);
  Vector x, y;
  const bool has_x = S == Sign::of_x || read == ReadX::yes;
  if (has_x) x = simt::load<Vector>(static_cast<const T*>(t.x) + row * t.x_stride + c);
  if constexpr (S == Sign::of_y) y = simt::load<Vector>(static_cast<const T*>(t.y) + row * t.y_stride + c);
  Gradient<V> g;
  for (int j = 0; j < V; ++j) {
    g.centred[j] = has_x ? to_float(x.v[j]) - k.mean[j] : 0;
    bool on = true;
    if constexpr (S == Sign::of_y) on = to_float(y.v[j]) > 0;
    if constexpr (S == Sign::of_x) on = normalised(g.centred[j], k.scale[j], k.beta[j]) > 0;
    g.dz[j] = on ? to_float(dy.v[j]) : 0;
  }
  return g;
}

// Block (b, s): channels of tile b, rows of split s.
template <class T, int V, Sign S>
__global__ void __launch_bounds__(kTileThreads, kBlocks)
    sums_of_splits(BnActBwdTensors t, int64_t split_rows, float* partial) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  const int64_t first = blockIdx.y * split_rows;
  const int64_t last = first + split_rows < t.rows ? first + split_rows : t.rows;
  Sums<2, V> sums;
  if (c < t.channels) {
    const Channels<V> k = channels_from<V, S>(t, c);
    SIMT_UNROLL(4)
    for (int64_t row = first + threadIdx.y; row < last; row += blockDim.y) {
      const Gradient<V> g = gradient_at<T, V, S>(t, k, row, c, ReadX::yes);
      for (int j = 0; j < V; ++j) {
        sums.of[0][j] += g.dz[j];
        sums.of[1][j] += g.dz[j] * g.centred[j];
      }
    }
  }
  leave_sums(sums, c, t.channels, partial);
}

__global__ void __launch_bounds__(kTotalColumns* kTotalRows)
    total_sums(const float* partial, int64_t split_count, int channels, const float* inv_std, float* dbeta,
               float* dgamma) {
  const int c = static_cast<int>(blockIdx.x * kTotalColumns + threadIdx.x);
  const Sums<2, 1> total = total_of_splits<2>(partial, split_count, c, channels);
  if (threadIdx.y != 0 || c >= channels) return;
  simt::store(dbeta + c, total.of[0][0]);
  simt::store(dgamma + c, total.of[1][0] * simt::load<float>(inv_std + c));
}

// Each thread keeps to its V channels and walks down the rows. dbeta and dgamma are there in mode batch.
template <class T, int V, Sign S>
__global__ void __launch_bounds__(kTileThreads, kBlocks)
    differentiate(BnActBwdTensors t, const float* dbeta, const float* dgamma) {
  using Vector = simt::Pack<T, V>;
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * V;
  if (c >= t.channels) return;
  const Channels<V> k = channels_from<V, S>(t, c);
  const bool batch = t.mode == BnMode::batch && t.dx != nullptr;
  float by_x[V] = {}, constant[V] = {};
  if (batch) {
    for (int j = 0; j < V; ++j) {
      const float share = -k.scale[j] / static_cast<float>(t.rows);
      by_x[j] = share * simt::load<float>(t.inv_std + c + j) * simt::load<float>(dgamma + c + j);
      constant[j] = share * simt::load<float>(dbeta + c + j);
    }
  }
  const int64_t step = int64_t{gridDim.y} * blockDim.y;
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < t.rows; row += step) {
    const Gradient<V> g = gradient_at<T, V, S>(t, k, row, c, batch ? ReadX::yes : ReadX::for_sign_alone);
    Vector out;
    if (t.dx != nullptr) {
      for (int j = 0; j < V; ++j) {
        float dx = g.dz[j] * k.scale[j];
        if (batch) dx += g.centred[j] * by_x[j] + constant[j];
        out.v[j] = from_float<T>(dx);
      }
      simt::store(static_cast<T*>(t.dx) + row * t.dx_stride + c, out);
    }
    if (t.dresidual != nullptr) {
      for (int j = 0; j < V; ++j) out.v[j] = from_float<T>(g.dz[j]);
      simt::store(static_cast<T*>(t.dresidual) + row * t.dresidual_stride + c, out);
    }
  }
}

template <class T, int V, Sign S>
cudaError_t launch(const BnActBwdTensors& t, float* partial, cudaStream_t stream) {
  const Tile b = tile(t.channels, V);
  const Splits split = splits(t.rows, t.channels);
  const bool batch = t.mode == BnMode::batch && t.dx != nullptr;
  float* own = partial + partial_sums(2, split, t.channels);
  float* dbeta = t.dbeta != nullptr ? t.dbeta : own;
  float* dgamma = t.dgamma != nullptr ? t.dgamma : own + t.channels;
  if (batch || t.dbeta != nullptr || t.dgamma != nullptr) {
    cudaError_t status =
        simt::launch(&sums_of_splits<T, V, S>, dim3(b.blocks_x, static_cast<unsigned>(split.count)),
                     dim3(b.x, b.y), 0, stream, t, split.rows, partial);
    if (status != cudaSuccess) return status;
    status = simt::launch(&total_sums, total_grid(t.channels), dim3(kTotalColumns, kTotalRows), 0, stream,
                          partial, split.count, t.channels, t.inv_std, dbeta, dgamma);
    if (status != cudaSuccess) return status;
  }
  if (t.dx == nullptr && t.dresidual == nullptr) return cudaSuccess;
  return simt::launch(&differentiate<T, V, S>, walk(t.rows, b), dim3(b.x, b.y), 0, stream, t, dbeta, dgamma);
}

template <class T, int V>
cudaError_t launch_of(const BnActBwdTensors& t, float* partial, cudaStream_t stream) {
  if (t.act == Activation::none) return launch<T, V, Sign::none>(t, partial, stream);
  return t.y != nullptr ? launch<T, V, Sign::of_y>(t, partial, stream)
                        : launch<T, V, Sign::of_x>(t, partial, stream);
}

// Whether rows hold whole vectors, each in its place.
template <class T>
bool vectorises(const BnActBwdTensors& t) {
  return t.channels % kVector<T> == 0 && rows_aligned<T>(t.dy, t.dy_stride) &&
         rows_aligned<T>(t.x, t.x_stride) && rows_aligned<T>(t.y, t.y_stride) &&
         rows_aligned<T>(t.dx, t.dx_stride) && rows_aligned<T>(t.dresidual, t.dresidual_stride);
}

}  // namespace

size_t bn_act_bwd_workspace(int64_t rows, int channels) {
  // The splits' sums, then dbeta and dgamma for the caller who wants none.
  return (partial_sums(2, splits(rows, channels), channels) + 2 * static_cast<size_t>(channels)) *
         sizeof(float);
}

int bn_act_bwd(const BnActBwdTensors& t, void* workspace, void* stream) {
  auto* partial = static_cast<float*>(workspace);
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(t.dtype, [&]<class T>() {
    return vectorises<T>(t) ? launch_of<T, kVector<T>>(t, partial, queue)
                            : launch_of<T, 1>(t, partial, queue);
  });
}

}  // namespace xf::cuda
