#pragma once
// The libraries that a backend computes with: their handles, and their status codes as errors.

#include <cublasLt.h>
#include <cudnn.h>

#include <memory>
#include <string_view>

#include "kernels/cuda/engine_cache.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {

/// Throw InternalError with the library's text unless `status` is success; `what` as for CUDA's own.
void check(cudnnStatus_t status, std::string_view what);
void check(cublasStatus_t status, std::string_view what);

struct DestroyHandle {
  void operator()(cudnnHandle_t handle) const { cudnnDestroy(handle); }
  void operator()(cublasLtHandle_t handle) const { cublasLtDestroy(handle); }
};
using CudnnHandle = std::unique_ptr<cudnnContext, DestroyHandle>;
using CublasLtHandle = std::unique_ptr<cublasLtContext, DestroyHandle>;

/// What all kernels of one backend share; it outlives none of them by itself, hence the shared_ptr.
class Libraries {
 public:
  /// On GPU `device`. Throws UnavailableError where the cuDNN that was loaded has another major version than
  /// the headers, or is older.
  explicit Libraries(int device);

  [[nodiscard]] cudnnHandle_t cudnn() const { return cudnn_.get(); }
  /// Where what cuDNN runs from now on is queued.
  void queue_cudnn_on(cudaStream_t stream) const;
  [[nodiscard]] cublasLtHandle_t cublas() const { return cublas_.get(); }
  /// The most temporary memory that one call may take.
  [[nodiscard]] size_t workspace_limit() const { return workspace_limit_; }
  /// Where engines are timed.
  [[nodiscard]] cudaStream_t trials() const { return trials_.use(); }
  [[nodiscard]] EngineCache& engines() { return engines_; }

 private:
  CudaStream trials_;
  CudnnHandle cudnn_;
  CublasLtHandle cublas_;
  size_t workspace_limit_;
  EngineCache engines_;
};

}  // namespace xf::cuda
