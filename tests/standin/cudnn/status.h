#pragma once
// How a call fails: with cuDNN's status for the mistake, and a message that names it.

#include <cudnn_graph.h>

#include <string>

namespace xf::standin::cudnn {

/// Thrown inside; the C interface turns it into its status.
struct Failure {
  cudnnStatus_t status;
  std::string message;
};

[[noreturn]] inline void fail(std::string message, cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM) {
  throw Failure{status, std::move(message)};
}

inline void require(bool condition, std::string message, cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM) {
  if (!condition) fail(std::move(message), status);
}

}  // namespace xf::standin::cudnn
