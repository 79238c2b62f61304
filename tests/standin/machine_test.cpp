// What a user is told on machines that cannot compute with CUDA.

#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <string>

#include "engine/core/error.h"
#include "kernels/cuda/module.h"
#include "tests/standin/device.h"

namespace xf::test {
namespace {

/// Another machine while it lives.
class Pretend {
 public:
  explicit Pretend(standin::Machine other) : before_(standin::machine()) { standin::machine() = other; }
  ~Pretend() { standin::machine() = before_; }
  Pretend(const Pretend&) = delete;
  Pretend& operator=(const Pretend&) = delete;

 private:
  standin::Machine before_;
};

/// What opening GPU `index` says on a machine.
std::string refusal(const standin::Machine& m, int index = 0) {
  const Pretend pretend(m);
  try {
    xferrun_cuda_module()->make_backend(index, Determinism::fixed_threads);
  } catch (const UnavailableError& e) {
    CHECK(e.remedy().find("--device cpu") != std::string::npos);
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    return e.what();
  }
  return "opened";
}

}  // namespace

TEST_CASE("machines: one clear line where CUDA cannot be used") {
  CHECK(refusal({.driver_version = 0}) == "CUDA: no NVIDIA driver is loaded");
  CHECK(refusal({.driver_version = 11080})
            .find("the NVIDIA driver supports CUDA 11.8, and the runtime here is ") != std::string::npos);
  CHECK(refusal({.devices = 0}) == "cuda:0: there is no such GPU; 0 found");
  CHECK(refusal({}, 1) == "cuda:1: there is no such GPU; 1 found");
  CHECK(refusal({.compute_major = 7, .compute_minor = 0}) ==
        "cuda:0: Stand-in has compute capability 7.0, and 7.5 is the least");
  CHECK(refusal({.compute_major = 7, .compute_minor = 5}) == "opened");
  CHECK(cudaGetLastError() == cudaSuccess);  // nothing is left for the next call to report
}

TEST_CASE("machines: which types a GPU computes in") {
  std::string why;
  {
    const Pretend turing({.compute_major = 7, .compute_minor = 5});
    const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
    CHECK(backend->supports(DType::f32, why));
    CHECK(backend->supports(DType::f16, why));
    CHECK_FALSE(backend->supports(DType::bf16, why));
    CHECK(why == "Stand-in has compute capability 7.5, and bf16 needs 8.0");
  }
  const Pretend ampere({.compute_major = 8, .compute_minor = 0});
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
  CHECK(backend->supports(DType::bf16, why));
  CHECK_FALSE(backend->supports(DType::i32, why));
}

TEST_CASE("machines: memory that is not there is an error with the bytes asked for and free") {
  const size_t used = standin::device_memory().used();
  const Pretend small({.memory_bytes = used + (size_t{1} << 20)});
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
  CHECK(backend->available() == size_t{1} << 20);
  try {
    backend->reserve((size_t{1} << 20) + 1);
    FAIL("reserved");
  } catch (const MemoryError& e) {
    CHECK(std::string(e.what()) == "cuda:0: 1048577 bytes were asked for, and 1048576 are free");
    CHECK(e.remedy().find("--batch") != std::string::npos);
  }
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("memory set aside is one piece, and given out again from there") {
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
  const size_t before = standin::device_memory().used();
  backend->set_aside(10000);
  const size_t piece = standin::device_memory().used() - before;
  CHECK(piece >= 10000);
  {
    const Buffer a = backend->reserve(1000), b = backend->reserve(8000);
    CHECK(standin::device_memory().used() - before == piece);
    CHECK(reinterpret_cast<uintptr_t>(b.data.get()) % 256 == 0);
    CHECK(b.data.get() >= a.data.get() + 1000);
    const Buffer more = backend->reserve(5000);  // does not fit in what is left
    CHECK(standin::device_memory().used() - before == piece + 5000);
    backend->set_aside(20000);  // what is in use stays in its own piece
    CHECK(standin::device_memory().holds(a.data.get(), 1000));
  }
  CHECK(standin::device_memory().used() - before < piece + 20000);
}

TEST_CASE("memory set aside is used to its last byte") {
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
  const size_t before = standin::device_memory().used();
  const auto taken = [&] { return standin::device_memory().used() - before; };
  backend->set_aside(513);
  const size_t piece = taken();
  CHECK(piece == 768);
  const Buffer a = backend->reserve(1);
  backend->set_aside(512);  // is there already
  CHECK(taken() == piece);
  const Buffer b = backend->reserve(512);
  CHECK(taken() == piece);
  CHECK(b.data.get() == a.data.get() + 256);
}

}  // namespace xf::test
