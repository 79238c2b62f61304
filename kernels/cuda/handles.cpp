#include "kernels/cuda/handles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "engine/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/devices.h"

namespace xf::cuda {
namespace {

CudnnHandle create_cudnn() {
  const Versions v = versions();
  if (v.cudnn / 10000 != CUDNN_MAJOR || v.cudnn < CUDNN_VERSION) {
    throw UnavailableError("cuDNN",
                           fmt::format("version {} was loaded, and this program was built with {}",
                                       cudnn_version_text(v.cudnn), cudnn_version_text(CUDNN_VERSION)),
                           fmt::format("install cuDNN {} or a newer {}, or use --device cpu",
                                       cudnn_version_text(CUDNN_VERSION), CUDNN_MAJOR));
  }
  cudnnHandle_t handle = nullptr;
  check(cudnnCreate(&handle), "cudnnCreate");
  return CudnnHandle(handle);
}

CublasLtHandle create_cublas() {
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "cublasLtCreate");
  return CublasLtHandle(handle);
}

// Part of the device, for the plan has to fit beside it; more than a GiB gains nothing.
size_t limit(uint64_t memory_bytes) {
  return static_cast<size_t>(std::min<uint64_t>(memory_bytes / 16, uint64_t{1} << 30));
}

}  // namespace

void check(cudnnStatus_t status, std::string_view what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> text{};
  cudnnGetLastErrorString(text.data(), text.size());
  std::replace(text.begin(), text.end(), '\n', ' ');
  throw InternalError(std::string(what),
                      fmt::format("cuDNN: {} {}", cudnnGetErrorString(status), text.data()));
}

void check(cublasStatus_t status, std::string_view what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw InternalError(std::string(what), fmt::format("cuBLASLt: {}", cublasLtGetStatusString(status)));
}

Libraries::Libraries(int device)
    : trials_(device),
      cudnn_(create_cudnn()),
      cublas_(create_cublas()),
      workspace_limit_(limit(usable_device(device).memory_bytes)),
      engines_(EngineCache::default_path(), fmt::format("{}, cuDNN {}", usable_device(device).name,
                                                        cudnn_version_text(versions().cudnn))) {}

void Libraries::queue_cudnn_on(cudaStream_t stream) const {
  check(cudnnSetStream(cudnn_.get(), stream), "cudnnSetStream");
}

}  // namespace xf::cuda
