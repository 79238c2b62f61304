#pragma once
// What the gradient of a scaled loss begins with.

namespace xf::cuda {

/// *seed = *loss_scale * share, in device memory. Queues its work on `stream` (a cudaStream_t); returns its
/// cudaError_t.
int loss_seed(const float* loss_scale, float share, float* seed, void* stream);

}  // namespace xf::cuda
