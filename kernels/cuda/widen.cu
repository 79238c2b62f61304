// Conversions between bf16 or f16 and f32.
//
// One pass each, a thread per vector and then the next one a grid further. Bytes moved per element: widen 2 +
// 4, narrow 4 + 2. The bound is the memory's bandwidth.

#include "kernels/cuda/widen.h"

#include <algorithm>

#include "kernels/cuda/element.h"
#include "kernels/cuda/traversal.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kLanes = 4;  // 16 bytes of f32

// Enough to fill any device several times over; beyond that, threads go on to further elements.
constexpr int64_t kMostBlocks = 4096;

dim3 blocks(int64_t items) {
  return static_cast<unsigned>(std::clamp<int64_t>((items + kThreads - 1) / kThreads, 1, kMostBlocks));
}

__device__ __forceinline__ int64_t first_item() { return int64_t{blockIdx.x} * blockDim.x + threadIdx.x; }
__device__ __forceinline__ int64_t next_item() { return int64_t{gridDim.x} * blockDim.x; }

template <class T, int V>
__global__ void __launch_bounds__(kThreads) widen_elements(const T* from, float* to, int64_t count) {
  for (int64_t i = first_item() * V; i < count; i += next_item() * V) {
    const auto in = simt::load<simt::Pack<T, V>>(from + i);
    simt::Pack<float, V> out;
    for (int j = 0; j < V; ++j) out.v[j] = to_float(in.v[j]);
    simt::store(to + i, out);
  }
}

template <class T, int V>
__global__ void __launch_bounds__(kThreads) narrow_elements(Narrowing n) {
  const int64_t count = n.rows * n.channels;
  for (int64_t i = first_item() * V; i < count; i += next_item() * V) {
    const auto in = simt::load<simt::Pack<float, V>>(n.from + i);
    Floats<V> bias;
    if (n.bias != nullptr) {
      if (n.channels % V == 0) {
        bias = load_parameters<V>(n.bias + i % n.channels);
      } else {  // the vector may go on in the next row
        for (int j = 0; j < V; ++j) bias.v[j] = simt::load<float>(n.bias + (i + j) % n.channels);
      }
    }
    simt::Pack<T, V> out;
    for (int j = 0; j < V; ++j) {
      float value = in.v[j];
      if (n.bias != nullptr) value += bias.v[j];
      if (n.act == Activation::relu && value < 0) value = 0;  // a NaN stays
      out.v[j] = from_float<T>(value);
    }
    simt::store(static_cast<T*>(n.to) + i, out);
  }
}

bool vectorises(int64_t count, std::initializer_list<const void*> addresses) {
  return count % kLanes == 0 && std::all_of(addresses.begin(), addresses.end(), [](const void* p) {
           return reinterpret_cast<uintptr_t>(p) % 16 == 0;
         });
}

}  // namespace

int widen(const void* from, DType dtype, float* to, int64_t count, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  return for_element(dtype, [&]<class T>() {
    const auto* source = static_cast<const T*>(from);
    return vectorises(count, {from, to}) ? simt::launch(&widen_elements<T, kLanes>, blocks(count / kLanes),
                                                        dim3(kThreads), 0, queue, source, to, count)
                                         : simt::launch(&widen_elements<T, 1>, blocks(count), dim3(kThreads),
                                                        0, queue, source, to, count);
  });
}

int narrow(const Narrowing& n, void* stream) {
  auto* queue = static_cast<cudaStream_t>(stream);
  const int64_t count = n.rows * n.channels;
  return for_element(n.dtype, [&]<class T>() {
    return vectorises(count, {n.from, n.to})
               ? simt::launch(&narrow_elements<T, kLanes>, blocks(count / kLanes), dim3(kThreads), 0, queue,
                              n)
               : simt::launch(&narrow_elements<T, 1>, blocks(count), dim3(kThreads), 0, queue, n);
  });
}

}  // namespace xf::cuda
