#pragma once
// Global memory as kernels reach it: whole vectors, naturally aligned, through load() and store() alone, so
// that the CPU run can check each access.

#include <cstddef>
#include <cstdint>

namespace xf::simt {

/// N elements that one thread moves at once: 16 bytes at most, the widest access of a device.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  static_assert(sizeof(T) * N <= 16);
  T v[N];
};

#if !defined(__CUDACC__)
/// Throws a KernelError unless `address` is a multiple of `alignment`: a device faults there.
inline void check_alignment(const char* access, const void* address, size_t alignment) {
  const size_t excess = reinterpret_cast<uintptr_t>(address) % alignment;
  if (excess != 0) {
    fail(std::string(access) + " of " + std::to_string(alignment) + " bytes at an address that is " +
         std::to_string(excess) + " bytes past a multiple of that");
  }
}
#endif

/// One load of a whole V (an element, or a Pack) from where its first element lies.
template <class V>
__device__ __forceinline__ V load(const void* address) {
#if !defined(__CUDACC__)
  check_alignment("load", address, alignof(V));
#endif
  return *static_cast<const V*>(address);
}

/// One store of a whole V.
template <class V>
__device__ __forceinline__ void store(void* address, const V& value) {
#if !defined(__CUDACC__)
  check_alignment("store", address, alignof(V));
#endif
  *static_cast<V*>(address) = value;
}

}  // namespace xf::simt
