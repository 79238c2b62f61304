#include "kernels/cuda/check.h"

#include <fmt/format.h>

#include "engine/core/error.h"

namespace xf::cuda {

void check(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not report it again
  throw InternalError(std::string(what),
                      fmt::format("CUDA: {} ({})", cudaGetErrorString(status), cudaGetErrorName(status)));
}

void use_device(int device) { check(cudaSetDevice(device), "cudaSetDevice"); }

}  // namespace xf::cuda
