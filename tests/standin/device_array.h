#pragma once
// Arrays of device memory for tests of the stand-in, and numbers whose sums of products are exact.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/rng.h"
#include "tests/standin/floats.h"

namespace xf::standin {

inline void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorName(status));
}

/// A stream of its own.
class TestStream {
 public:
  TestStream() { check(cudaStreamCreate(&handle_)); }
  ~TestStream() { cudaStreamDestroy(handle_); }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;
  operator cudaStream_t() const { return handle_; }  // NOLINT(google-explicit-constructor)
  void synchronize() const { check(cudaStreamSynchronize(handle_)); }

 private:
  cudaStream_t handle_ = nullptr;
};

/// Elements in device memory, uploaded and downloaded whole.
class DeviceArray {
 public:
  DeviceArray(Element element, size_t count) : element_(element), count_(count) {
    check(cudaMalloc(&memory_, count * size_of(element)));
  }
  DeviceArray(Element element, const std::vector<double>& values, cudaStream_t stream)
      : DeviceArray(element, values.size()) {
    std::vector<char> host(bytes());
    for (size_t i = 0; i < count_; ++i) store(element_, host.data(), static_cast<int64_t>(i), values[i]);
    check(cudaMemcpyAsync(memory_, host.data(), host.size(), cudaMemcpyHostToDevice, stream));
    check(cudaStreamSynchronize(stream));
  }
  ~DeviceArray() { cudaFree(memory_); }
  DeviceArray(DeviceArray&& o) noexcept
      : element_(o.element_), count_(o.count_), memory_(std::exchange(o.memory_, nullptr)) {}
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  DeviceArray& operator=(DeviceArray&& o) noexcept {
    std::swap(element_, o.element_);
    std::swap(count_, o.count_);
    std::swap(memory_, o.memory_);
    return *this;
  }

  [[nodiscard]] char* data() const { return static_cast<char*>(memory_); }
  [[nodiscard]] size_t bytes() const { return count_ * size_of(element_); }
  /// Waits for the stream, unless told not to.
  [[nodiscard]] std::vector<double> download(cudaStream_t stream, bool wait = true) const {
    std::vector<char> host(bytes(), 0);
    check(cudaMemcpyAsync(host.data(), memory_, host.size(), cudaMemcpyDeviceToHost, stream));
    if (wait) check(cudaStreamSynchronize(stream));
    std::vector<double> out(count_);
    for (size_t i = 0; i < count_; ++i) out[i] = load(element_, host.data(), static_cast<int64_t>(i));
    if (!wait) check(cudaStreamSynchronize(stream));  // while `host` is there
    return out;
  }

 private:
  Element element_;
  size_t count_;
  void* memory_ = nullptr;
};

/// Whole numbers from -3 to 3.
inline std::vector<double> whole_numbers(size_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> out(count);
  for (double& v : out) v = static_cast<double>(rng.below(7)) - 3;
  return out;
}

inline std::vector<double> rounded(Element e, std::vector<double> values) {
  for (double& v : values) v = rounded(e, v);
  return values;
}

}  // namespace xf::standin
