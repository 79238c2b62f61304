#pragma once
// Work captured as a CUDA graph.

#include <functional>
#include <memory>

#include "engine/run/backend.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {

/// Captures what work() queues on `stream`; nothing of it runs. None, with a warning, where CUDA cannot
/// capture it: the caller then queues it piece by piece. Throws what work() throws.
std::unique_ptr<Recording> record(CudaStream& stream, const std::function<void()>& work);

}  // namespace xf::cuda
