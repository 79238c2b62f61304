#pragma once
// Global memory as kernels reach it: whole vectors, naturally aligned, through load() and store() alone, so
// that the CPU run can check each access, and count it (traffic.h).

#include <cstddef>
#include <cstdint>

namespace xf::simt {

/// N elements that one thread moves at once: 16 bytes at most, the widest access of a device.
template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  static_assert(sizeof(T) * N <= 16);
  T v[N];
};

#if defined(__CUDACC__)
#define SIMT_CALLER
#else
#define SIMT_CALLER , Site site = {__builtin_FILE(), __builtin_LINE()}
/// Throws a KernelError unless `address` is a multiple of `alignment`: a device faults there; and where a
/// fence (fence.h) forbids the access. Counts the access where accesses are counted.
inline void check_access(Access access, const void* address, size_t bytes, size_t alignment, Site site) {
  const size_t excess = reinterpret_cast<uintptr_t>(address) % alignment;
  if (excess != 0) {
    fail(std::string(access == Access::load ? "load" : "store") + " of " + std::to_string(alignment) +
         " bytes at an address that is " + std::to_string(excess) + " bytes past a multiple of that");
  }
  if (fenced) check_fences(address, bytes);
  if (counting) count_access(access, address, bytes, site);
}
#endif

/// One load of a whole V (an element, or a Pack) from where its first element lies.
template <class V>
__device__ __forceinline__ V load(const void* address SIMT_CALLER) {
#if !defined(__CUDACC__)
  check_access(Access::load, address, sizeof(V), alignof(V), site);
#endif
  return *static_cast<const V*>(address);
}

/// One store of a whole V.
template <class V>
__device__ __forceinline__ void store(void* address, const V& value SIMT_CALLER) {
#if !defined(__CUDACC__)
  check_access(Access::store, address, sizeof(V), alignof(V), site);
#endif
  *static_cast<V*>(address) = value;
}

#undef SIMT_CALLER

}  // namespace xf::simt
