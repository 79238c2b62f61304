#pragma once
// Batch normalisation + residual + activation, forward.

#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cuda {

/// What both modes read and write; all pointers are device memory. Activations are `rows` (= n h w) rows of
/// `channels` elements, f32, bf16 or f16, that begin x_stride, residual_stride, y_stride elements apart: the
/// channel count, or more for a slice of a wider tensor. y may be x or residual.
struct BnActTensors {
  int64_t rows = 0;
  int channels = 0;
  DType dtype = DType::f32;
  const void* x = nullptr;
  int64_t x_stride = 0;
  const void* residual = nullptr;  ///< none: no residual
  int64_t residual_stride = 0;
  void* y = nullptr;
  int64_t y_stride = 0;
  const float* gamma = nullptr;  ///< none: 1
  const float* beta = nullptr;
  float* mean = nullptr;     ///< the statistics that y was made with; may be absent
  float* inv_std = nullptr;  ///< 1/sqrt(variance + eps); may be absent
  float eps = 0;
  Activation act = Activation::none;
};

/// Running statistics; the new ones may lie where the old ones do.
struct BnRunning {
  const float* mean = nullptr;
  const float* variance = nullptr;
  float* new_mean = nullptr;      ///< mode batch; may be absent
  float* new_variance = nullptr;  ///< mode batch; may be absent
  float momentum = 0;             ///< mode batch: new = (1 - momentum) old + momentum batch
};

/// Bytes of temporary memory that bn_act_batch() takes.
size_t bn_act_workspace(int64_t rows, int channels);

/// Normalises with the statistics of x and moves the running ones, by the unbiased variance. Queues its work
/// on `stream` (a cudaStream_t); returns the first cudaError_t that is not 0. The result's bits depend on
/// shapes and alignment alone, not on the device.
int bn_act_batch(const BnActTensors& t, const BnRunning& running, void* workspace, void* stream);

/// Normalises with the running statistics.
int bn_act_running(const BnActTensors& t, const BnRunning& running, void* stream);

}  // namespace xf::cuda
