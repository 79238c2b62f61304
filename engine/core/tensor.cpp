#include "engine/core/tensor.h"

#include <cstring>
#include <new>
#include <string>

#include "engine/core/error.h"

namespace xf {

namespace {
constexpr std::align_val_t kAlign{64};
}

void Tensor::Free::operator()(std::byte* p) const { ::operator delete(p, kAlign); }

Tensor::Tensor(Shape shape, DType dtype) : shape_(shape), dtype_(dtype) {
  // One byte at least, so that an empty batch is still a tensor.
  data_.reset(static_cast<std::byte*>(::operator new(bytes() + 1, kAlign)));
  std::memset(data_.get(), 0, bytes());
}

Tensor Tensor::clone() const {
  if (empty()) return {};
  Tensor t(shape_, dtype_);
  std::memcpy(t.data(), data(), bytes());
  return t;
}

void Tensor::require(DType wanted) const {
  if (wanted != dtype_)
    throw InternalError("tensor " + to_string(shape_),
                        "holds " + std::string(name(dtype_)) + ", read as " + std::string(name(wanted)));
}

}  // namespace xf
