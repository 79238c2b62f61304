#pragma once
// Events and page-locked host memory that give themselves back.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/cuda/check.h"

namespace xf::cuda {

/// Whether an event notes the time, which makes it slower.
enum class Timing : uint8_t { off, on };

/// A point in a stream's work.
class Event {
 public:
  explicit Event(Timing timing = Timing::off) {
    check(
        cudaEventCreateWithFlags(&handle_, timing == Timing::on ? cudaEventDefault : cudaEventDisableTiming),
        "cudaEventCreate");
  }
  ~Event() { cudaEventDestroy(handle_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Marks the end of what `stream` has been given so far.
  void record(cudaStream_t stream) { check(cudaEventRecord(handle_, stream), "cudaEventRecord"); }
  /// Work given to `stream` from now on waits for the point. An event that was never recorded holds up
  /// nobody.
  void hold_up(cudaStream_t stream) const {
    check(cudaStreamWaitEvent(stream, handle_, 0), "cudaStreamWaitEvent");
  }
  /// Whether it was reached.
  [[nodiscard]] bool reached() const {
    const cudaError_t status = cudaEventQuery(handle_);
    if (status != cudaErrorNotReady) check(status, "cudaEventQuery");
    return status == cudaSuccess;
  }
  /// The host waits for it.
  void wait() const { check(cudaEventSynchronize(handle_), "cudaEventSynchronize"); }
  /// The same where nothing may be thrown.
  void wait_silently() const noexcept { static_cast<void>(cudaEventSynchronize(handle_)); }

  /// Between two that note the time and are both reached.
  static float milliseconds(const Event& from, const Event& to) {
    float elapsed = 0;
    check(cudaEventElapsedTime(&elapsed, from.handle_, to.handle_), "cudaEventElapsedTime");
    return elapsed;
  }

 private:
  cudaEvent_t handle_ = nullptr;
};

/// Host memory that a copy engine reads and writes by itself.
using PageLocked = std::unique_ptr<std::byte, decltype(&cudaFreeHost)>;
inline PageLocked page_locked(size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocHost(&memory, bytes), "cudaMallocHost");
  return {static_cast<std::byte*>(memory), &cudaFreeHost};
}

}  // namespace xf::cuda
