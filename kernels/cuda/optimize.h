#pragma once
// One step of an optimizer over all tensors at once.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/graph/ops.h"

namespace xf::cuda {

/// One tensor's `count` f32 numbers and what they become; all pointers are device memory. A moment that the
/// optimizer does not use, an average that nobody wants, the gradient of a tensor that is not trained and any
/// result may be absent. A result may lie where the number it replaces does.
struct OptimizeTensor {
  int64_t count = 0;
  const float *parameter = nullptr, *gradient = nullptr;
  const float *moment1 = nullptr, *moment2 = nullptr, *average = nullptr;
  float *new_parameter = nullptr, *new_moment1 = nullptr, *new_moment2 = nullptr, *new_average = nullptr;
};

/// What a step says of itself; all pointers are device memory, and may be absent but for `step`.
struct OptimizeStep {
  const StepParams* step = nullptr;
  const float* loss_scale = nullptr;  ///< two numbers: the scale, and its finite updates
  float* new_loss_scale = nullptr;    ///< may lie where loss_scale does
  float* norm = nullptr;
  float* finite = nullptr;
};

/// Bytes of temporary memory that optimize() takes; `counts` are the sizes of the tensors with a gradient.
size_t optimize_workspace(std::span<const int64_t> counts);

/// What engine/graph/ops.h says of Optimize, for tensors[i] by op.tensors[i]. Queues its work on `stream` (a
/// cudaStream_t); returns the first cudaError_t that is not 0. The tables of tensors travel as parameters of
/// kernels, so the work can be captured and replayed. The result's bits depend on sizes and alignment alone.
int optimize(const Optimize& op, const OptimizeStep& step, std::span<const OptimizeTensor> tensors,
             void* workspace, void* stream);

}  // namespace xf::cuda
