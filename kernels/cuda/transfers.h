#pragma once
// Bytes on their way between host and device while the device computes.

#include <cuda_runtime_api.h>

#include <memory>

#include "engine/run/backend.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {

/// Takes the bytes into one of two page-locked buffers, from there on the copy stream into one of two buffers
/// on the device, and on the compute stream into their place: a batch travels while the one before it is
/// computed with. `staging`: 2 * bytes of device memory.
std::unique_ptr<Feed> make_feed(CudaStream& compute, CudaStream& copy, Buffer staging, std::byte* device,
                                size_t bytes);

/// Takes results into one of two page-locked buffers, behind the work on the compute stream.
std::unique_ptr<Readback> make_readback(CudaStream& compute, const std::byte* device, size_t bytes);

}  // namespace xf::cuda
