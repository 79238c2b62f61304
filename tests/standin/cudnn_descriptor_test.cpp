// Uses and misuses of cuDNN's descriptors. The codes are those that cuDNN 9.19 itself returns.

#include <cudnn.h>
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace xf::standin {
namespace {

/// A descriptor that is destroyed with this.
class Owned {
 public:
  explicit Owned(cudnnBackendDescriptorType_t type) {
    REQUIRE(cudnnBackendCreateDescriptor(type, &descriptor_) == CUDNN_STATUS_SUCCESS);
  }
  ~Owned() { cudnnBackendDestroyDescriptor(descriptor_); }
  Owned(Owned&& o) noexcept : descriptor_(std::exchange(o.descriptor_, nullptr)) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Owned& operator=(Owned&&) = delete;

  [[nodiscard]] cudnnBackendDescriptor_t get() const { return descriptor_; }
  template <class T>
  cudnnStatus_t set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    const std::vector<T>& values) {
    return cudnnBackendSetAttribute(descriptor_, name, type, static_cast<int64_t>(values.size()),
                                    values.data());
  }
  cudnnStatus_t finalize() { return cudnnBackendFinalize(descriptor_); }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

struct TensorAttributes {
  std::vector<int64_t> dims{2, 8, 4, 4}, strides{128, 1, 32, 8}, uid{1}, alignment{16};
  std::vector<cudnnDataType_t> type{CUDNN_DATA_FLOAT};
};

Owned tensor(const TensorAttributes& t = {}) {
  Owned d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  CHECK(d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, t.type) == CUDNN_STATUS_SUCCESS);
  CHECK(d.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, t.dims) == CUDNN_STATUS_SUCCESS);
  CHECK(d.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, t.uid) == CUDNN_STATUS_SUCCESS);
  CHECK(d.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, t.alignment) == CUDNN_STATUS_SUCCESS);
  if (!t.strides.empty())
    CHECK(d.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, t.strides) == CUDNN_STATUS_SUCCESS);
  return d;
}

cudnnStatus_t finalized(const std::function<void(TensorAttributes&)>& change) {
  TensorAttributes t;
  change(t);
  return tensor(t).finalize();
}

TEST_CASE("cudnn: a tensor is checked when it is finalized") {
  using T = TensorAttributes;
  CHECK(finalized([](T&) {}) == CUDNN_STATUS_SUCCESS);
  CHECK(finalized([](T& t) { t.dims[1] = 0; }) == CUDNN_STATUS_SUCCESS);
  CHECK(finalized([](T& t) { t.strides[2] = 8; }) ==
        CUDNN_STATUS_SUCCESS);  // overlapping: the operation's concern
  CHECK(finalized([](T& t) { t.strides = {}; }) == CUDNN_STATUS_BAD_PARAM);
  CHECK(finalized([](T& t) { t.strides = {128, 1, 32}; }) == CUDNN_STATUS_BAD_PARAM);
  CHECK(finalized([](T& t) { t.strides[0] = -1; }) == CUDNN_STATUS_BAD_PARAM);
  CHECK(finalized([](T& t) { t.dims[2] = -1; }) == CUDNN_STATUS_BAD_PARAM);
  CHECK(finalized([](T& t) { t.alignment = {3}; }) == CUDNN_STATUS_BAD_PARAM);
}

TEST_CASE("cudnn: a finalized descriptor is sealed, and another one is not read") {
  Owned d = tensor(), open(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  REQUIRE(d.finalize() == CUDNN_STATUS_SUCCESS);
  CHECK(d.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, TensorAttributes{}.strides) ==
        CUDNN_STATUS_BAD_PARAM);
  CHECK(d.finalize() == CUDNN_STATUS_BAD_PARAM);
  int64_t count = 0, uid = 0;
  CHECK(cudnnBackendGetAttribute(open.get(), CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &count,
                                 &uid) == CUDNN_STATUS_NOT_INITIALIZED);
  CHECK(cudnnBackendFinalize(nullptr) == CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
}

TEST_CASE("cudnn: attributes have a type and belong to a kind of descriptor") {
  Owned d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const std::vector<int64_t> one{1};
  CHECK(d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_INT64, one) == CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
  CHECK(d.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, one) == CUDNN_STATUS_BAD_PARAM);
  CHECK(cudnnBackendSetAttribute(d.get(), CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, nullptr) ==
        CUDNN_STATUS_BAD_PARAM);
  CHECK(cudnnBackendSetAttribute(nullptr, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 1, one.data()) ==
        CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
}

TEST_CASE("cudnn: attributes are read back whole, in part, or just counted") {
  Owned d = tensor();
  REQUIRE(d.finalize() == CUDNN_STATUS_SUCCESS);
  std::vector<int64_t> values(8, -1);
  int64_t count = 0;
  const auto get = [&](int64_t most, void* into) {
    return cudnnBackendGetAttribute(d.get(), CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, most, &count,
                                    into);
  };
  CHECK(get(8, values.data()) == CUDNN_STATUS_SUCCESS);
  CHECK(count == 4);
  CHECK(values == std::vector<int64_t>{2, 8, 4, 4, -1, -1, -1, -1});
  CHECK(get(2, values.data()) == CUDNN_STATUS_SUCCESS);
  CHECK(count == 2);
  CHECK(get(0, nullptr) == CUDNN_STATUS_SUCCESS);
  CHECK(count == 4);
  CHECK(cudnnBackendGetAttribute(d.get(), CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_FLOAT, 8, &count,
                                 values.data()) == CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
}

TEST_CASE("cudnn: an operation takes a tensor that is not finalized, and is not finalized with it") {
  Owned x = tensor(), w = tensor(), y = tensor();
  Owned convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  Owned operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  const auto set = [&](cudnnBackendAttributeName_t name, const Owned& value) {
    return operation.set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector{value.get()});
  };
  CHECK(operation.finalize() == CUDNN_STATUS_BAD_PARAM);  // nothing is set
  CHECK(set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x) == CUDNN_STATUS_SUCCESS);
  CHECK(set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w) == CUDNN_STATUS_SUCCESS);
  CHECK(set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y) == CUDNN_STATUS_SUCCESS);
  CHECK(set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution) == CUDNN_STATUS_SUCCESS);
  CHECK(CUDNN_STATUS_CATEGORY(operation.finalize()) == CUDNN_STATUS_BAD_PARAM);
}

TEST_CASE("cudnn: a variant pack has a pointer for each id") {
  const auto pack = [](const std::vector<int64_t>& ids, const std::vector<void*>& pointers) {
    Owned d(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    CHECK(d.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids) == CUDNN_STATUS_SUCCESS);
    CHECK(d.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers) ==
          CUDNN_STATUS_SUCCESS);
    return d.finalize();
  };
  int a = 0, b = 0;
  CHECK(pack({1, 2}, {&a, &b}) == CUDNN_STATUS_SUCCESS);
  CHECK(pack({1, 2}, {&a}) == CUDNN_STATUS_BAD_PARAM);
}

// In what follows the stand-in is stricter than cuDNN, which refuses later, or reads freed memory.

TEST_CASE("cudnn: an elementwise operation takes operands that broadcast to its result") {
  const auto add = [](const std::vector<int64_t>& bias_dims) {
    Owned how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR), operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    CHECK(how.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, std::vector{CUDNN_POINTWISE_ADD}) ==
          0);
    CHECK(how.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT}) == 0);
    REQUIRE(how.finalize() == CUDNN_STATUS_SUCCESS);
    Owned x = tensor(), bias = tensor({.dims = bias_dims, .strides = {8, 1, 8, 8}, .uid = {2}}),
          y = tensor({.uid = {3}});
    for (Owned* t : {&x, &bias, &y}) REQUIRE(t->finalize() == CUDNN_STATUS_SUCCESS);
    const std::vector<std::pair<cudnnBackendAttributeName_t, const Owned*>> operands{
        {CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, &how},
        {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, &x},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, &bias},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, &y}};
    for (const auto& [name, d] : operands)
      CHECK(operation.set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector{d->get()}) ==
            CUDNN_STATUS_SUCCESS);
    return operation.finalize();
  };
  CHECK(add({1, 8, 1, 1}) == CUDNN_STATUS_SUCCESS);
  CHECK(CUDNN_STATUS_CATEGORY(add({1, 3, 1, 1})) == CUDNN_STATUS_BAD_PARAM);
}

TEST_CASE("cudnn: a destroyed descriptor or handle is not used") {
  cudnnBackendDescriptor_t d = nullptr;
  REQUIRE(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &d) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnBackendDestroyDescriptor(d) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnBackendFinalize(d) != CUDNN_STATUS_SUCCESS);
  CHECK(cudnnBackendDestroyDescriptor(d) != CUDNN_STATUS_SUCCESS);
  cudnnHandle_t handle = nullptr;
  REQUIRE(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnDestroy(handle) == CUDNN_STATUS_SUCCESS);
  CHECK(cudnnSetStream(handle, nullptr) != CUDNN_STATUS_SUCCESS);
}

}  // namespace
}  // namespace xf::standin
