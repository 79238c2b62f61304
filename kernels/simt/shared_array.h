#pragma once
// Arrays in shared memory as kernels on the CPU see them: what SIMT_SHARED and SIMT_DYN_SHARED declare there.
// Each use of an element by its index is counted (traffic.h), and is otherwise what it is on a device: a
// reference. A pointer taken from the array is no longer followed; where the array does not turn into one by
// itself (in a reinterpret_cast, say), static_cast<T*>(array) does, for both compilers.

#include <cstddef>
#include <type_traits>

#include "kernels/simt/runtime.h"

namespace xf::simt {

/// An index, and the line of the kernel that it stands on.
struct Index {
  template <class I>
  Index(I i, Site here = {__builtin_FILE(), __builtin_LINE()})
      : value(static_cast<ptrdiff_t>(i)), site(here) {}
  ptrdiff_t value;
  Site site;
};

/// T[N], of any rank, or T[].
template <class Array>
class SharedArray;

template <class T>
T& counted(T& element, Site site) {
  if (counting) count_access(Access::shared, &element, sizeof element, site);
  return element;
}

template <class T, size_t N>
class SharedArray<T[N]> {
 public:
  explicit SharedArray(T (&array)[N]) : array_(&array) {}

  std::conditional_t<std::is_array_v<T>, SharedArray<T>, T&> operator[](Index i) const {
    if constexpr (std::is_array_v<T>) {
      return SharedArray<T>((*array_)[i.value]);
    } else {
      return counted((*array_)[i.value], i.site);
    }
  }
  // Templates: built-in indexing of the pointer is then no rival of operator[].
  template <class Pointer>
  requires std::is_same_v<Pointer, T*>
  operator Pointer() const { return *array_; }

 private:
  T (*array_)[N];
};

template <class T>
class SharedArray<T[]> {
 public:
  explicit SharedArray(T* first) : first_(first) {}

  T& operator[](Index i) const { return counted(first_[i.value], i.site); }
  SharedArray operator+(ptrdiff_t elements) const { return SharedArray(first_ + elements); }
  template <class Pointer>
  requires std::is_same_v<Pointer, T*>
  operator Pointer() const { return first_; }

 private:
  T* first_;
};

/// The block's shared variable of type T: an array is watched, anything else a plain reference.
template <class T>
std::conditional_t<std::is_array_v<T>, SharedArray<T>, T&> shared(const void* key) {
  using Result = std::conditional_t<std::is_array_v<T>, SharedArray<T>, T&>;
  return Result(*static_cast<T*>(shared_variable(key, sizeof(T))));
}

}  // namespace xf::simt
