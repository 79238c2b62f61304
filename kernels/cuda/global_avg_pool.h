#pragma once
// The mean over the positions of an image, and its gradient.

#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"

namespace xf::cuda {

/// `images` images of `pixels` (= h w) rows of `channels` elements, f32, bf16 or f16.
struct ImageMaps {
  int64_t images = 0, pixels = 0;
  int channels = 0;
  DType dtype = DType::f32;
};

/// Device memory. Rows begin x_stride, y_stride elements apart: the channel count, or more for a slice of a
/// wider tensor. y has a row of f32 an image.
struct GlobalAvgPoolTensors {
  const void* x = nullptr;
  int64_t x_stride = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
};

struct GlobalAvgPoolBwdTensors {
  const float* dy = nullptr;
  int64_t dy_stride = 0;
  void* dx = nullptr;
  int64_t dx_stride = 0;
};

/// Bytes of temporary memory that global_avg_pool() takes: none for maps that one block sums.
size_t global_avg_pool_workspace(const ImageMaps& maps);

/// Queues its work on `stream` (a cudaStream_t); returns the first cudaError_t that is not 0. The bits of an
/// image's means depend on its numbers, the map's shape and alignment, not on the other images or the device.
int global_avg_pool(const ImageMaps& maps, const GlobalAvgPoolTensors& t, void* workspace, void* stream);

/// The gradient of the input; otherwise like global_avg_pool(). Takes no temporary memory.
int global_avg_pool_bwd(const ImageMaps& maps, const GlobalAvgPoolBwdTensors& t, void* stream);

}  // namespace xf::cuda
