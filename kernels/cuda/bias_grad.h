#pragma once
// A bias's gradient: the sum over all pixels, per channel.

#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"

namespace xf::cuda {

/// `dy` is `rows` (= n h w) rows of `channels` elements, f32, bf16 or f16, that begin `stride` elements
/// apart: the channel count, or more for a slice of a wider tensor. All pointers are device memory.
struct BiasGradTensors {
  int64_t rows = 0;
  int channels = 0;
  DType dtype = DType::f32;
  const void* dy = nullptr;
  int64_t stride = 0;
  float* db = nullptr;
};

/// Bytes of temporary memory that bias_grad() takes.
size_t bias_grad_workspace(int64_t rows, int channels);

/// Queues the sum on `stream` (a cudaStream_t); returns the first cudaError_t that is not 0. The result's
/// bits depend on shapes and alignment alone, not on the device.
int bias_grad(const BiasGradTensors& t, void* workspace, void* stream);

}  // namespace xf::cuda
