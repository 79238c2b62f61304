#pragma once
// Running a plan: checks at the call, the work on the stream.

#include <cuda_runtime_api.h>

#include "tests/standin/cudnn/descriptor.h"

namespace xf::standin::cudnn {

/// Queues a plan on a stream. Throws Failure for a pack that lacks a tensor, and for memory that is not the
/// device's, too small, misaligned or shared by tensors that must not share.
void execute(cudaStream_t stream, const Descriptor& plan, const Descriptor& pack);

}  // namespace xf::standin::cudnn
