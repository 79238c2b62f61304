#pragma once
// A CUDA stream behind the engine's interface.

#include <cuda_runtime_api.h>

#include "engine/run/backend.h"

namespace xf::cuda {

class CudaStream final : public Stream {
 public:
  explicit CudaStream(int device);
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  void synchronize() override;
  /// CUDA's handle; makes the stream's device the calling thread's current one, as launches need it.
  [[nodiscard]] cudaStream_t use() const;

 private:
  int device_;
  cudaStream_t handle_ = nullptr;
};

/// The CUDA stream that a backend of this module gave out.
inline CudaStream& cuda_stream(Stream& stream) { return static_cast<CudaStream&>(stream); }

}  // namespace xf::cuda
