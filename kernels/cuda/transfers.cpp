#include "kernels/cuda/transfers.h"

#include <array>
#include <cstring>
#include <utility>

#include "engine/core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/event.h"

namespace xf::cuda {
namespace {

constexpr size_t kSlots = 2;

class StagedFeed final : public Feed {
 public:
  StagedFeed(CudaStream& compute, CudaStream& copy, Buffer staging, std::byte* device, size_t bytes)
      : compute_(compute),
        copy_(copy),
        staging_(std::move(staging)),
        device_(device),
        bytes_(bytes),
        host_{page_locked(bytes), page_locked(bytes)} {}

  ~StagedFeed() override {
    // A copy may still read the host's buffers.
    for (const Event& e : arrived_) copy_.settle(e);
  }

  void write(const std::byte* host) override {
    const size_t slot = writes_++ % kSlots;
    std::byte* staged = staging_.data.get() + slot * bytes_;
    copy_.wait(arrived_[slot]);  // the write before the last has left the host's buffer
    std::memcpy(host_[slot].get(), host, bytes_);
    cudaStream_t copy = copy_.use();
    taken_[slot].hold_up(copy);
    check(cudaMemcpyAsync(staged, host_[slot].get(), bytes_, cudaMemcpyHostToDevice, copy),
          "input to device");
    arrived_[slot].record(copy);
    cudaStream_t compute = compute_.use();
    arrived_[slot].hold_up(compute);
    check(cudaMemcpyAsync(device_, staged, bytes_, cudaMemcpyDeviceToDevice, compute), "input to its place");
    taken_[slot].record(compute);
  }

 private:
  CudaStream& compute_;
  CudaStream& copy_;
  Buffer staging_;
  std::byte* device_;
  size_t bytes_;
  std::array<PageLocked, kSlots> host_;
  std::array<Event, kSlots> arrived_, taken_;
  size_t writes_ = 0;
};

class QueuedReadback final : public Readback {
 public:
  QueuedReadback(CudaStream& compute, const std::byte* device, size_t bytes)
      : compute_(compute), device_(device), bytes_(bytes), host_{page_locked(bytes), page_locked(bytes)} {}

  ~QueuedReadback() override {
    for (const Event& e : arrived_) compute_.settle(e);
  }

  void queue() override {
    const size_t slot = queued_++ % kSlots;
    cudaStream_t compute = compute_.use();
    check(cudaMemcpyAsync(host_[slot].get(), device_, bytes_, cudaMemcpyDeviceToHost, compute),
          "result to host");
    arrived_[slot].record(compute);
  }

  const std::byte* receive() override {
    if (received_ == queued_) throw InternalError("result", "is received, but was not sent");
    const size_t slot = received_++ % kSlots;
    compute_.wait(arrived_[slot]);
    return host_[slot].get();
  }

 private:
  CudaStream& compute_;
  const std::byte* device_;
  size_t bytes_;
  std::array<PageLocked, kSlots> host_;
  std::array<Event, kSlots> arrived_;
  size_t queued_ = 0, received_ = 0;
};

}  // namespace

std::unique_ptr<Feed> make_feed(CudaStream& compute, CudaStream& copy, Buffer staging, std::byte* device,
                                size_t bytes) {
  return std::make_unique<StagedFeed>(compute, copy, std::move(staging), device, bytes);
}

std::unique_ptr<Readback> make_readback(CudaStream& compute, const std::byte* device, size_t bytes) {
  return std::make_unique<QueuedReadback>(compute, device, bytes);
}

}  // namespace xf::cuda
