#pragma once
// CUDA's status codes as errors.

#include <cuda_runtime_api.h>

#include <string_view>

namespace xf::cuda {

/// Throws InternalError with CUDA's text unless `status` is success. `what` names the call, or the node and
/// its shapes.
void check(cudaError_t status, std::string_view what);

/// Makes `device` the calling thread's current one.
void use_device(int device);

}  // namespace xf::cuda
