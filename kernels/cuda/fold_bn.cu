// Batch normalisation with fixed statistics folded into the convolution before it.
//
// One launch, a column of blocks an output. Bytes moved: 8 a weight; the bound is the memory's bandwidth. In
// double, as this is done once: the folded network should differ from the original by one rounding.

#include "kernels/cuda/fold_bn.h"

#include <algorithm>

#include "kernels/cuda/element.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {
namespace {

constexpr int64_t kThreads = 256;

// Block (o, b) scales the weights of output o, V at a time.
template <int V>
__global__ void __launch_bounds__(kThreads) fold(FoldBnTensors t) {
  using Vector = simt::Pack<float, V>;
  const int64_t o = blockIdx.x;
  const double gamma = t.gamma != nullptr ? simt::load<float>(t.gamma + o) : 1.0F;
  const double variance = simt::load<float>(t.variance + o);
  const double scale = gamma / sqrt(variance + static_cast<double>(t.eps));
  if (blockIdx.y == 0 && threadIdx.x == 0) {
    const double bias = t.bias != nullptr ? simt::load<float>(t.bias + o) : 0.0F;
    const double mean = simt::load<float>(t.mean + o), beta = simt::load<float>(t.beta + o);
    simt::store(t.folded_bias + o, static_cast<float>((bias - mean) * scale + beta));
  }
  const int64_t step = int64_t{gridDim.y} * blockDim.x * V, end = (o + 1) * t.taps;
  for (int64_t i = o * t.taps + (int64_t{blockIdx.y} * blockDim.x + threadIdx.x) * V; i < end; i += step) {
    Vector w = simt::load<Vector>(t.weights + i);
    for (int j = 0; j < V; ++j) w.v[j] = static_cast<float>(static_cast<double>(w.v[j]) * scale);
    simt::store(t.folded + i, w);
  }
}

template <int V>
cudaError_t launch(const FoldBnTensors& t, cudaStream_t stream) {
  const int64_t vectors = (t.taps + V - 1) / V, threads = std::min(kThreads, (vectors + 31) / 32 * 32);
  const int64_t blocks = std::min<int64_t>((vectors + 4 * threads - 1) / (4 * threads), 1024);
  return simt::launch(&fold<V>, dim3(static_cast<unsigned>(t.outputs), static_cast<unsigned>(blocks)),
                      dim3(static_cast<unsigned>(threads)), 0, stream, t);
}

}  // namespace

int fold_bn(const FoldBnTensors& t, void* stream) {
  constexpr int kWidest = kVector<float>;
  const auto aligned = [](const float* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; };
  auto* queue = static_cast<cudaStream_t>(stream);
  return t.taps % kWidest == 0 && aligned(t.weights) && aligned(t.folded) ? launch<kWidest>(t, queue)
                                                                          : launch<1>(t, queue);
}

}  // namespace xf::cuda
