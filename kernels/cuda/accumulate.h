#pragma once
// Gradients summed over the micro-batches of a step.

#include <cstdint>
#include <span>

#include "engine/graph/ops.h"

namespace xf::cuda {

/// `count` numbers side by side each, in device memory.
struct AccumulateTensor {
  const float* sum = nullptr;
  const float* gradient = nullptr;
  float* result = nullptr;  ///< may be sum; none: nobody wants it
  int64_t count = 0;
};

/// result = gradient in the first micro-batch of a step, sum + gradient afterwards; `step`, in device memory,
/// says which when the kernel runs. Queues one launch for every 112 tensors on `stream` (a cudaStream_t);
/// returns the first cudaError_t that is not 0.
int accumulate(const StepParams* step, std::span<const AccumulateTensor> tensors, void* stream);

}  // namespace xf::cuda
