#include "kernels/cuda/stream.h"

#include <thread>
#include <utility>

#include "kernels/cuda/check.h"
#include "kernels/cuda/comm_nccl.h"

namespace xf::cuda {
namespace {

int priority_number(Priority priority) {
  if (priority == Priority::normal) return 0;
  int least = 0, greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
  return greatest;
}

}  // namespace

CudaStream::CudaStream(int device, Priority priority) : device_(device) {
  use_device(device);
  check(cudaStreamCreateWithPriority(&handle_, cudaStreamNonBlocking, priority_number(priority)),
        "cudaStreamCreate");
}

CudaStream::~CudaStream() { cudaStreamDestroy(handle_); }

void CudaStream::synchronize() {
  if (end_) {
    end_->record(use());
    wait(*end_);
  }
  check(cudaStreamSynchronize(use()), "work queued on the GPU");
}

cudaStream_t CudaStream::use() const {
  use_device(device_);
  return handle_;
}

void CudaStream::watch(std::shared_ptr<Communicator> ranks) {
  use_device(device_);
  end_ = std::make_unique<Event>();
  ranks_ = std::move(ranks);
}

void CudaStream::wait(const Event& event) const {
  if (!ranks_) {
    event.wait();
    return;
  }
  // NCCL's kernels never end where another rank does not answer: only the host can find out.
  for (ranks_->check(); !event.reached(); ranks_->check()) std::this_thread::yield();
}

void CudaStream::settle(const Event& event) const noexcept {
  if (ranks_) ranks_->give_up_after_error();
  event.wait_silently();
}

}  // namespace xf::cuda
