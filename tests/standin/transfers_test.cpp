// Inputs and results on their way while the device computes, and work recorded as a graph: on streams that do
// nothing before they must.

#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cstring>
#include <stdexcept>
#include <vector>

#include "engine/core/error.h"
#include "kernels/cuda/module.h"
#include "kernels/cuda/stream.h"
#include "tests/standin/paces.h"
#include "tests/standin/streams.h"

namespace xf::test {
namespace {

constexpr size_t kBytes = 1000;

struct Place {
  Place() : backend(xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads)) {}
  Buffer buffer() const { return backend->reserve(kBytes); }
  cudaStream_t compute() const { return cuda::cuda_stream(backend->stream(Lane::compute)).use(); }
  /// Queues a copy on the compute stream, which stands for a step's work.
  void work(const Buffer& to, const Buffer& from) const {
    REQUIRE(cudaMemcpyAsync(to.data.get(), from.data.get(), kBytes, cudaMemcpyDeviceToDevice, compute()) ==
            cudaSuccess);
  }
  /// The byte that a buffer is full of; -1 if there is more than one.
  int content(const Buffer& b) const {
    std::vector<std::byte> host(kBytes);
    backend->download(backend->stream(Lane::compute), host.data(), b.data.get(), kBytes);
    for (const std::byte x : host)
      if (x != host[0]) return -1;
    return static_cast<int>(host[0]);
  }
  std::unique_ptr<Backend> backend;
};

}  // namespace

TEST_CASE("transfers: each step's work finds the input that was written before it") {
  at_each_pace([] {
    const Place p;
    const Buffer input = p.buffer();
    const auto feed = p.backend->feed(input.data.get(), kBytes);
    constexpr int kSteps = 7;
    std::vector<Buffer> seen;
    seen.reserve(kSteps);
    // Before the work: to reserve memory waits for the stream.
    for (int step = 0; step < kSteps; ++step) seen.push_back(p.buffer());
    std::vector<std::byte> host(kBytes);
    for (int step = 0; step < kSteps; ++step) {
      std::memset(host.data(), step + 1, kBytes);
      feed->write(host.data());
      std::memset(host.data(), 99, kBytes);  // the caller's again
      p.work(seen[static_cast<size_t>(step)], input);
    }
    for (int step = 0; step < kSteps; ++step) CHECK(p.content(seen[static_cast<size_t>(step)]) == step + 1);
  });
}

TEST_CASE("transfers: an input that is replaced before anything ran") {
  at_each_pace([] {
    const Place p;
    const Buffer input = p.buffer();
    const auto feed = p.backend->feed(input.data.get(), kBytes);
    const std::vector<std::byte> first(kBytes, std::byte{1}), second(kBytes, std::byte{2});
    for (int i = 0; i < 5; ++i) feed->write(first.data());
    feed->write(second.data());
    CHECK(p.content(input) == 2);
  });
}

TEST_CASE("transfers: each result is what its step left, two on their way") {
  at_each_pace([] {
    const Place p;
    const Buffer result = p.buffer();
    const auto readback = p.backend->readback(result.data.get(), kBytes);
    const auto step = [&](int value) {
      REQUIRE(cudaMemsetAsync(result.data.get(), value, kBytes, p.compute()) == cudaSuccess);
      readback->queue();
    };
    step(1);
    for (int i = 2; i < 8; ++i) {
      step(i);
      const std::byte* got = readback->receive();
      CHECK(static_cast<int>(got[0]) == i - 1);
      CHECK(static_cast<int>(got[kBytes - 1]) == i - 1);
    }
    CHECK(static_cast<int>(*readback->receive()) == 7);
    CHECK_THROWS_AS(readback->receive(), InternalError);
  });
}

TEST_CASE("transfers: what goes while a copy is on its way waits for it") {
  at_each_pace([] {
    const Place p;
    const Buffer input = p.buffer(), result = p.buffer();
    const std::vector<std::byte> host(kBytes, std::byte{7});
    auto feed = p.backend->feed(input.data.get(), kBytes);
    for (int i = 0; i < 2; ++i) feed->write(host.data());
    feed = nullptr;  // and its page-locked memory: a copy that comes later faults
    CHECK(p.content(input) == 7);
    auto readback = p.backend->readback(result.data.get(), kBytes);
    for (int i = 0; i < 2; ++i) readback->queue();
    readback = nullptr;
    CHECK(p.content(result) == 0);
  });
}

TEST_CASE("recordings: recording runs nothing, each replay runs all") {
  at_each_pace([] {
    const Place p;
    const Buffer a = p.buffer(), b = p.buffer(), c = p.buffer();
    const auto recording = p.backend->record(p.backend->stream(Lane::compute), [&] {
      p.work(b, a);
      p.work(c, b);
    });
    REQUIRE(recording);
    CHECK(p.content(c) == 0);
    for (int value = 1; value < 4; ++value) {
      REQUIRE(cudaMemsetAsync(a.data.get(), value, kBytes, p.compute()) == cudaSuccess);
      recording->replay(p.backend->stream(Lane::compute));
      CHECK(p.content(c) == value);
    }
  });
}

TEST_CASE("recordings: work that cannot be captured is told, and can run piece by piece") {
  const Place p;
  const Buffer a = p.buffer(), b = p.buffer();
  CHECK_FALSE(p.backend->record(p.backend->stream(Lane::compute), [&] {
    p.work(b, a);
    cudaStreamSynchronize(p.compute());
  }));
  CHECK(cudaGetLastError() == cudaSuccess);
  REQUIRE(cudaMemsetAsync(a.data.get(), 5, kBytes, p.compute()) == cudaSuccess);
  p.work(b, a);
  CHECK(p.content(b) == 5);
}

TEST_CASE("recordings: an error in the work passes through, and ends the capture") {
  const Place p;
  const Buffer a = p.buffer(), b = p.buffer();
  CHECK_THROWS_AS(
      p.backend->record(p.backend->stream(Lane::compute), [&] { throw std::runtime_error("in the work"); }),
      std::runtime_error);
  REQUIRE(cudaMemsetAsync(a.data.get(), 6, kBytes, p.compute()) == cudaSuccess);
  p.work(b, a);
  CHECK(p.content(b) == 6);
}

}  // namespace xf::test
