// Feeds and readbacks of devices whose memory the host reaches at once.

#include <array>
#include <vector>

#include "engine/run/backend.h"

namespace xf {
namespace {

class DirectFeed final : public Feed {
 public:
  DirectFeed(Backend& backend, std::byte* device, size_t bytes)
      : backend_(backend), device_(device), bytes_(bytes) {}
  void write(const std::byte* host) override {
    Stream& stream = backend_.stream(Lane::compute);
    backend_.upload(stream, device_, host, bytes_);
    stream.synchronize();
  }

 private:
  Backend& backend_;
  std::byte* device_;
  size_t bytes_;
};

class DirectReadback final : public Readback {
 public:
  DirectReadback(Backend& backend, const std::byte* device, size_t bytes)
      : backend_(backend),
        device_(device),
        slots_{std::vector<std::byte>(bytes), std::vector<std::byte>(bytes)} {}
  void queue() override {
    std::vector<std::byte>& slot = slots_[queued_++ % slots_.size()];
    backend_.download(backend_.stream(Lane::compute), slot.data(), device_, slot.size());
  }
  const std::byte* receive() override { return slots_[received_++ % slots_.size()].data(); }

 private:
  Backend& backend_;
  const std::byte* device_;
  std::array<std::vector<std::byte>, 2> slots_;
  size_t queued_ = 0, received_ = 0;
};

}  // namespace

std::unique_ptr<Feed> Backend::feed(std::byte* device, size_t bytes) {
  return std::make_unique<DirectFeed>(*this, device, bytes);
}

std::unique_ptr<Readback> Backend::readback(const std::byte* device, size_t bytes) {
  return std::make_unique<DirectReadback>(*this, device, bytes);
}

}  // namespace xf
