#pragma once
// cuDNN's calls for single layers: their descriptors and operands.

#include <cudnn_ops.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/standin/cudnn/calls.h"
#include "tests/standin/floats.h"

// cuDNN's opaque types are ours to define. Dimensions and strides: images, channels, rows, columns.
struct cudnnTensorStruct {
  bool set = false;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::array<int64_t, 4> dims{}, strides{};
};
struct cudnnPoolingStruct {
  bool set = false;
  cudnnPoolingMode_t mode = CUDNN_POOLING_MAX;
  bool nan_wins = false;
  std::array<int64_t, 2> window{}, pad{}, stride{};  ///< vertical, horizontal
};
struct cudnnActivationStruct {
  bool set = false;  ///< to a rectifier
  bool nan_stays = false;
};

namespace xf::standin::cudnn {

/// The descriptors of one type that are there.
template <class T>
class Descriptors {
 public:
  T* make() {
    auto made = std::make_unique<T>();
    T* p = made.get();
    all_[p] = std::move(made);
    return p;
  }
  /// Throws Failure where `d` was destroyed, never made, or never set.
  const T& at(const T* d) const {
    require(all_.contains(d), "a layer's descriptor was destroyed, or never made");
    require(d->set, "a layer's descriptor is not set");
    return *d;
  }
  void destroy(const T* d) { require(all_.erase(d) == 1, "a layer's descriptor is destroyed twice"); }

 private:
  std::map<const T*, std::unique_ptr<T>> all_;
};
/// Defined for the three types above.
template <class T>
Descriptors<T>& descriptors();

/// A tensor in device memory. Elements are ordered images, rows, columns, channels.
class Operand {
 public:
  /// Throws Failure for a null pointer, and where the memory is not the device's, whole and aligned.
  Operand(std::string name, cudnnTensorDescriptor_t descriptor, const void* memory);
  [[nodiscard]] int64_t images() const { return t_.dims[0]; }
  [[nodiscard]] int64_t channels() const { return t_.dims[1]; }
  [[nodiscard]] int64_t height() const { return t_.dims[2]; }
  [[nodiscard]] int64_t width() const { return t_.dims[3]; }
  [[nodiscard]] int64_t count() const;
  [[nodiscard]] int64_t index(int64_t n, int64_t h, int64_t w, int64_t c) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool like(const Operand& o) const { return t_.dims == o.t_.dims && t_.type == o.t_.type; }

  [[nodiscard]] std::vector<double> read() const;
  void write(const std::vector<double>& values) const;

  /// Throws Failure when the memory is not there.
  void check() const;
  [[nodiscard]] bool shares_memory(const Operand& o) const;
  [[nodiscard]] bool same_place(const Operand& o) const;

 private:
  [[nodiscard]] std::vector<int64_t> offsets() const;
  [[nodiscard]] Element element() const;

  std::string name_;
  cudnnTensorStruct t_;
  char* memory_;
};

/// result = alpha * computed + beta * what lies there, which is not read where beta is 0.
struct Blend {
  /// From two floats of the host.
  Blend(const void* alpha, const void* beta);
  double alpha, beta;
};
void write(const Operand& to, std::vector<double> computed, Blend blend);

/// Whether an output may lie exactly where an input of its kind does.
enum class InPlace : uint8_t { no, yes };

/// Queues work on the handle's stream. Throws Failure where an output shares memory with another operand.
void queue(cudnnHandle_t handle, const std::vector<Operand>& inputs, const std::vector<Operand>& outputs,
           InPlace in_place, std::function<void()> work);

}  // namespace xf::standin::cudnn
