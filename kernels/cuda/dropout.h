#pragma once
// Dropout by counter-based random numbers.

#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cuda {

/// All pointers are device memory; x and y hold `count` elements side by side, f32, bf16 or f16. y may be x.
struct DropoutTensors {
  int64_t count = 0;
  DType dtype = DType::f32;
  const StepParams* step = nullptr;  ///< read when the kernel runs, not when it is queued
  const void* x = nullptr;
  void* y = nullptr;
  int64_t per_image = 0;  ///< elements: the random numbers begin with those of image step->first_image
};

/// y = x / (1 - rate) where the element's random number is `rate` or more, else 0: the bits that the CPU
/// gives. Queues its work on `stream` (a cudaStream_t) and returns its cudaError_t.
int dropout(const DropoutTensors& t, const Dropout& op, void* stream);

}  // namespace xf::cuda
