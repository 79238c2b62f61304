#pragma once
// What the C interface's files share: the handle, and failures as statuses.

#include <cudnn_graph.h>

#include <string>

#include "tests/standin/cudnn/status.h"

// cuDNN's opaque type is ours to define.
struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace xf::standin::cudnn {

/// What cudnnGetLastErrorString() hands out next.
std::string& last_message();

/// Throws Failure for what cudnnCreate() did not make, or cudnnDestroy() ended.
cudnnContext& context_of(cudnnHandle_t handle);

/// The status of f(): success, or that of the Failure it throws.
template <class F>
cudnnStatus_t guarded(F f) {
  try {
    f();
    return CUDNN_STATUS_SUCCESS;
  } catch (const Failure& e) {
    last_message() = "stand-in: " + e.message;
    return e.status;
  }
}

}  // namespace xf::standin::cudnn
