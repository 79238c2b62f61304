#include "tests/standin/cudnn/tensor.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace xf::standin::cudnn {
namespace {

std::string joined(const std::vector<int64_t>& numbers) {
  std::string out;
  for (const int64_t n : numbers) out += (out.empty() ? "" : " ") + std::to_string(n);
  return out;
}

}  // namespace

Tensor::Tensor(const Descriptor& d)
    : uid(d.value<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID)),
      alignment(d.value<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT)),
      data_type(d.value<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE)),
      dims(d.values<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS)),
      strides(d.values<int64_t>(CUDNN_ATTR_TENSOR_STRIDES)),
      is_virtual(d.value<char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL) != 0),
      by_value(d.value<char>(CUDNN_ATTR_TENSOR_IS_BY_VALUE) != 0) {}

Element Tensor::element() const {
  switch (data_type) {
    case CUDNN_DATA_FLOAT: return Element::f32;
    case CUDNN_DATA_BFLOAT16: return Element::bf16;
    case CUDNN_DATA_HALF: return Element::f16;
    default:
      fail(text() + ": data type " + std::to_string(data_type) + " is not emulated",
           CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE);
  }
}

int64_t Tensor::count() const {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

size_t Tensor::bytes() const {
  if (count() == 0) return 0;
  int64_t span = 1;
  for (size_t i = 0; i < dims.size(); ++i) span += (dims[i] - 1) * strides[i];
  return static_cast<size_t>(span) * size_of(element());
}

std::vector<int64_t> Tensor::offsets() const {
  std::vector<int64_t> out{0};
  for (size_t i = 0; i < dims.size(); ++i) {
    std::vector<int64_t> next;
    next.reserve(out.size() * static_cast<size_t>(dims[i]));
    for (const int64_t o : out)
      for (int64_t j = 0; j < dims[i]; ++j) next.push_back(o + j * strides[i]);
    out = std::move(next);
  }
  return out;
}

bool Tensor::overlaps_itself() const {
  std::vector<std::pair<int64_t, int64_t>> steps;  // stride and extent of the dimensions that have any
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] > 1) steps.emplace_back(strides[i], dims[i]);
  std::ranges::sort(steps);
  int64_t extent = 1;
  for (const auto& [stride, n] : steps) {
    if (stride < extent) return true;
    extent += stride * (n - 1);
  }
  return false;
}

std::string Tensor::text() const {
  return "tensor " + std::to_string(uid) + " [" + joined(dims) + "; strides " + joined(strides) + "]";
}

void check_tensor(const Descriptor& d) {
  const Tensor t(d);
  require(!t.dims.empty() && t.dims.size() <= CUDNN_DIM_MAX && t.strides.size() == t.dims.size(),
          t.text() + ": numbers of dimensions and strides");
  const auto negative = [](int64_t n) { return n < 0; };
  require(std::ranges::none_of(t.dims, negative) && std::ranges::none_of(t.strides, negative),
          t.text() + ": negative");
  require(t.alignment > 0 && t.alignment % static_cast<int64_t>(size_of(t.element())) == 0,
          t.text() + ": an alignment of " + std::to_string(t.alignment));
  require(d.value<cudnnBackendTensorReordering_t>(CUDNN_ATTR_TENSOR_REORDERING_MODE) ==
              CUDNN_TENSOR_REORDERING_NONE,
          t.text() + ": reordering is not emulated", CUDNN_STATUS_NOT_SUPPORTED);
}

std::vector<double> read(const Tensor& t, const char* memory) {
  const std::vector<int64_t> offsets = t.offsets();
  std::vector<double> out(offsets.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = load(t.element(), memory, offsets[i]);
  return out;
}

void write(const Tensor& t, char* memory, const std::vector<double>& values) {
  const std::vector<int64_t> offsets = t.offsets();
  for (size_t i = 0; i < values.size(); ++i) store(t.element(), memory, offsets[i], values[i]);
}

}  // namespace xf::standin::cudnn
