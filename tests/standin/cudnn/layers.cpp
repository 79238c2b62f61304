#include "tests/standin/cudnn/layers.h"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "tests/standin/device.h"
#include "tests/standin/placed.h"
#include "tests/standin/streams.h"

namespace xf::standin::cudnn {
namespace {

double host_float(const void* p) {
  require(p != nullptr, "alpha or beta is null", CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  require(!device_memory().is_device_address(p), "alpha and beta are the host's");
  return *static_cast<const float*>(p);
}

}  // namespace

template <class T>
Descriptors<T>& descriptors() {
  static Descriptors<T> all;
  return all;
}
template Descriptors<cudnnTensorStruct>& descriptors();
template Descriptors<cudnnPoolingStruct>& descriptors();
template Descriptors<cudnnActivationStruct>& descriptors();

Operand::Operand(std::string name, cudnnTensorDescriptor_t descriptor, const void* memory)
    : name_(std::move(name)),
      t_(descriptors<cudnnTensorStruct>().at(descriptor)),
      memory_(static_cast<char*>(const_cast<void*>(memory))) {
  require(memory != nullptr, name_ + " is at null", CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  check();
}

Element Operand::element() const {
  switch (t_.type) {
    case CUDNN_DATA_FLOAT: return Element::f32;
    case CUDNN_DATA_BFLOAT16: return Element::bf16;
    case CUDNN_DATA_HALF: return Element::f16;
    default: fail(name_ + ": its data type is not emulated", CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE);
  }
}

int64_t Operand::count() const { return t_.dims[0] * t_.dims[1] * t_.dims[2] * t_.dims[3]; }

int64_t Operand::index(int64_t n, int64_t h, int64_t w, int64_t c) const {
  return ((n * height() + h) * width() + w) * channels() + c;
}

std::vector<int64_t> Operand::offsets() const {
  std::vector<int64_t> all;
  all.reserve(static_cast<size_t>(count()));
  const auto& s = t_.strides;
  for (int64_t n = 0; n < images(); ++n)
    for (int64_t h = 0; h < height(); ++h)
      for (int64_t w = 0; w < width(); ++w)
        for (int64_t c = 0; c < channels(); ++c) all.push_back(n * s[0] + c * s[1] + h * s[2] + w * s[3]);
  return all;
}

void Operand::check() const {
  int64_t span = 1;
  for (size_t i = 0; i < 4; ++i) span += (t_.dims[i] - 1) * t_.strides[i];
  const size_t size = size_of(element());
  require(device_memory().holds(memory_, static_cast<size_t>(span) * size),
          name_ + " exceeds its device memory, or is elsewhere", CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND);
  require(reinterpret_cast<uintptr_t>(memory_) % size == 0, name_ + ": misaligned",
          CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
}

std::vector<double> Operand::read() const {
  std::vector<double> values;
  values.reserve(static_cast<size_t>(count()));
  for (const int64_t o : offsets()) values.push_back(load(element(), memory_, o));
  return values;
}

void Operand::write(const std::vector<double>& values) const {
  const std::vector<int64_t> to = offsets();
  for (size_t i = 0; i < to.size(); ++i) store(element(), memory_, to[i], values[i]);
}

bool Operand::shares_memory(const Operand& o) const {
  return share_memory({memory_, offsets(), size_of(element())},
                      {o.memory_, o.offsets(), size_of(o.element())});
}

bool Operand::same_place(const Operand& o) const {
  return memory_ == o.memory_ && like(o) && t_.strides == o.t_.strides;
}

Blend::Blend(const void* a, const void* b) : alpha(host_float(a)), beta(host_float(b)) {}

void write(const Operand& to, std::vector<double> computed, Blend blend) {
  const std::vector<double> before = blend.beta == 0 ? std::vector<double>() : to.read();
  for (size_t i = 0; i < computed.size(); ++i)
    computed[i] = blend.alpha * computed[i] + (before.empty() ? 0 : blend.beta * before[i]);
  to.write(computed);
}

void queue(cudnnHandle_t handle, const std::vector<Operand>& inputs, const std::vector<Operand>& outputs,
           InPlace in_place, std::function<void()> work) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    for (const Operand& in : inputs) {
      const bool replaces = in_place == InPlace::yes && outputs[i].same_place(in);
      require(replaces || !outputs[i].shares_memory(in),
              outputs[i].name() + " is written where " + in.name() + " lies");
    }
    for (size_t j = 0; j < i; ++j)
      require(!outputs[i].shares_memory(outputs[j]),
              outputs[i].name() + " is written where " + outputs[j].name() + " is");
  }
  enqueue(context_of(handle).stream, [inputs, outputs, work = std::move(work)] {
    try {
      for (const Operand& o : inputs) o.check();
      for (const Operand& o : outputs) o.check();
    } catch (const Failure& f) {
      throw std::runtime_error("stand-in: when a layer ran, " + f.message);
    }
    work();
  });
}

}  // namespace xf::standin::cudnn

using namespace xf::standin::cudnn;

extern "C" {

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* d) {
  *d = descriptors<cudnnTensorStruct>().make();
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d) {
  return guarded([&] { descriptors<cudnnTensorStruct>().destroy(d); });
}
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  return guarded([&] {
    require(n > 0 && c > 0 && h > 0 && w > 0, "a tensor has no elements");
    require(format == CUDNN_TENSOR_NHWC || format == CUDNN_TENSOR_NCHW, "only NHWC and NCHW are emulated",
            CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
    *d = {true, type, {n, c, h, w}, {int64_t{h} * w * c, 1, int64_t{w} * c, c}};
    if (format == CUDNN_TENSOR_NCHW) d->strides = {int64_t{c} * h * w, int64_t{h} * w, w, 1};
  });
}

}  // extern "C"
