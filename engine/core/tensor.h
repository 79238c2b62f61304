#pragma once
// A host tensor: owned, 64-byte aligned memory with a shape and an element type.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/core/dtype.h"
#include "engine/core/shape.h"

namespace xf {

class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled. Throws std::bad_alloc.
  explicit Tensor(Shape shape, DType dtype = DType::f32);

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] size_t bytes() const { return static_cast<size_t>(shape_.count()) * size_of(dtype_); }
  [[nodiscard]] bool empty() const { return data_ == nullptr; }
  [[nodiscard]] std::byte* data() { return data_.get(); }
  [[nodiscard]] const std::byte* data() const { return data_.get(); }

  /// The elements in memory order. Throws InternalError when T is not the tensor's element type.
  template <class T>
  [[nodiscard]] std::span<T> as() {
    require(dtype_of<T>::value);
    return {reinterpret_cast<T*>(data_.get()), static_cast<size_t>(shape_.count())};
  }
  template <class T>
  [[nodiscard]] std::span<const T> as() const {
    require(dtype_of<T>::value);
    return {reinterpret_cast<const T*>(data_.get()), static_cast<size_t>(shape_.count())};
  }

  [[nodiscard]] Tensor clone() const;

 private:
  void require(DType wanted) const;
  struct Free {
    void operator()(std::byte* p) const;
  };
  Shape shape_{0, 0, 0, 0};
  DType dtype_ = DType::f32;
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace xf
