#include "kernels/cuda/stream.h"

#include "kernels/cuda/check.h"

namespace xf::cuda {

CudaStream::CudaStream(int device) : device_(device) {
  use_device(device);
  check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreate");
}

CudaStream::~CudaStream() { cudaStreamDestroy(handle_); }

void CudaStream::synchronize() { check(cudaStreamSynchronize(use()), "work queued on the GPU"); }

cudaStream_t CudaStream::use() const {
  use_device(device_);
  return handle_;
}

}  // namespace xf::cuda
