#pragma once
// The gradient of batch normalisation + residual + activation.

#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cuda {

/// All pointers are device memory. Activations are `rows` (= n h w) rows of `channels` elements, f32, bf16 or
/// f16, whose rows begin …_stride elements apart: the channel count, or more for a slice of a wider tensor.
/// dx and dresidual may each take the place of dy, x or y, with the same stride; outputs may be absent.
struct BnActBwdTensors {
  int64_t rows = 0;
  int channels = 0;
  DType dtype = DType::f32;
  BnMode mode = BnMode::batch;
  Activation act = Activation::none;
  const void* dy = nullptr;
  int64_t dy_stride = 0;
  const void* x = nullptr;
  int64_t x_stride = 0;
  const void* y = nullptr;  ///< tells where the activation was on; none: x and beta do
  int64_t y_stride = 0;
  const float* gamma = nullptr;  ///< none: 1
  const float* mean = nullptr;
  const float* inv_std = nullptr;
  const float* beta = nullptr;  ///< needed where there is an activation and no y
  void* dx = nullptr;
  int64_t dx_stride = 0;
  float* dgamma = nullptr;
  float* dbeta = nullptr;
  void* dresidual = nullptr;
  int64_t dresidual_stride = 0;
};

/// Bytes of temporary memory that bn_act_bwd() takes.
size_t bn_act_bwd_workspace(int64_t rows, int channels);

/// Queues the gradient on `stream` (a cudaStream_t); returns the first cudaError_t that is not 0. The
/// result's bits depend on shapes and alignment alone, not on the device.
int bn_act_bwd(const BnActBwdTensors& t, void* workspace, void* stream);

}  // namespace xf::cuda
