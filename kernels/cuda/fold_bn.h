#pragma once
// Batch normalisation with fixed statistics folded into the convolution before it.

#include <cstdint>

namespace xf::cuda {

/// Weights are `outputs` rows of `taps` (= h w c) numbers, and there is one of each other number an output.
/// All pointers are device memory; `folded` may be `weights`.
struct FoldBnTensors {
  int64_t outputs = 0, taps = 0;
  const float* weights = nullptr;
  const float* gamma = nullptr;  ///< none: 1
  const float* beta = nullptr;
  const float* mean = nullptr;
  const float* variance = nullptr;
  const float* bias = nullptr;  ///< the convolution's; none: 0
  float* folded = nullptr;
  float* folded_bias = nullptr;
  float eps = 0;
};

/// Queues the folding on `stream` (a cudaStream_t); returns cudaLaunchKernel's status.
int fold_bn(const FoldBnTensors& t, void* stream);

}  // namespace xf::cuda
