#pragma once
// Maximum and average pooling, and their gradients.

#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cuda {

/// One axis of a pool. Every window holds at least one input position.
struct PoolAxis {
  int in = 1, out = 1;  ///< input positions, windows
  int kernel = 1, stride = 1;
  int before = 0;        ///< padding in front of the first input position
  int counted_from = 0;  ///< the positions that an average's divisor counts are
  int counted_to = 1;    ///< counted_from … counted_to - 1, padding among them where it counts
};

struct PoolGeometry {
  PoolKind kind = PoolKind::max;
  PoolAxis h, w;
  int64_t images = 0;
  int channels = 0;
  DType dtype = DType::f32;  ///< of x, y and their gradients: f32, bf16 or f16
};

/// Device memory. Consecutive pixels of x and y begin x_stride, y_stride elements apart: the channel count,
/// or more for a slice of a wider tensor. argmax has no gaps.
struct PoolTensors {
  const void* x = nullptr;
  int64_t x_stride = 0;
  void* y = nullptr;
  int64_t y_stride = 0;
  uint8_t* argmax = nullptr;  ///< where in its window the first maximum lies; may be absent
};

struct PoolBwdTensors {
  const void* dy = nullptr;
  int64_t dy_stride = 0;
  const uint8_t* argmax = nullptr;  ///< of maxima
  void* dx = nullptr;
  int64_t dx_stride = 0;
};

/// Pools x. A NaN counts as higher than any number. Queues its work on `stream` (a cudaStream_t); returns the
/// first cudaError_t that is not 0. The result's bits depend on nothing but the numbers.
int pool(const PoolGeometry& g, const PoolTensors& t, void* stream);

/// The gradient of the input; otherwise like pool().
int pool_bwd(const PoolGeometry& g, const PoolBwdTensors& t, void* stream);

}  // namespace xf::cuda
