#include "benchmarks/peers/cudnn/layers.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/core/error.h"

namespace xf::bench {
namespace {

cudnnDataType_t data_type(DType type) {
  switch (type) {
    case DType::bf16: return CUDNN_DATA_BFLOAT16;
    case DType::f16: return CUDNN_DATA_HALF;
    default: return CUDNN_DATA_FLOAT;
  }
}

/// `extents`: images, channels, rows, columns.
Tensor described(cudnnTensorFormat_t format, DType type, const std::array<int64_t, 4>& extents) {
  cudnnTensorDescriptor_t d = nullptr;
  check(cudnnCreateTensorDescriptor(&d), "cudnnCreateTensorDescriptor");
  Tensor made(d);
  const auto extent = [&](size_t i) { return static_cast<int>(extents.at(i)); };
  check(cudnnSetTensor4dDescriptor(d, format, data_type(type), extent(0), extent(1), extent(2), extent(3)),
        "cudnnSetTensor4dDescriptor");
  return made;
}

}  // namespace

bool refused(cudnnStatus_t status) {
  const int category = CUDNN_STATUS_CATEGORY(status);
  return category == CUDNN_STATUS_NOT_SUPPORTED || category == CUDNN_STATUS_BAD_PARAM;
}

void check(cudnnStatus_t status, std::string_view what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> text{};
  cudnnGetLastErrorString(text.data(), text.size());
  std::replace(text.begin(), text.end(), '\n', ' ');
  const std::string reason = fmt::format("{} {}", cudnnGetErrorString(status), text.data());
  if (refused(status)) throw UnavailableError(std::string(what), reason);
  throw InternalError(std::string(what), reason);
}

Tensor tensor(const Spec& spec) {
  const Shape& s = spec.shape;
  return described(CUDNN_TENSOR_NHWC, spec.dtype, {s.n, s.c, s.h, s.w});
}

Tensor elements(const Spec& spec) {
  const Shape& s = spec.shape;
  return described(CUDNN_TENSOR_NCHW, spec.dtype, {s.n, s.h, s.w, s.c});
}

Activating rectifier() {
  cudnnActivationDescriptor_t d = nullptr;
  check(cudnnCreateActivationDescriptor(&d), "cudnnCreateActivationDescriptor");
  Activating made(d);
  check(cudnnSetActivationDescriptor(d, CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0),
        "cudnnSetActivationDescriptor");
  return made;
}

Memory::Memory(size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* p = nullptr;
  if (const cudaError_t status = cudaMalloc(&p, bytes); status != cudaSuccess) {
    cudaGetLastError();  // so that the next call does not report it again
    throw MemoryError("cuDNN's layer", fmt::format("{} bytes: {}", bytes, cudaGetErrorString(status)));
  }
  data_ = {p, [](void* q) { cudaFree(q); }};
}

}  // namespace xf::bench
