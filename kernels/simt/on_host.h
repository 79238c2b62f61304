#pragma once
// simt.h as g++ and clang++ see it: CUDA's device functions on the runtime of runtime.h. Functions that wait
// take the line of their call as a default argument, so that an error can name it.

#include <array>
#include <bit>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/simt/cuda_vocabulary.h"
#include "kernels/simt/fence.h"
#include "kernels/simt/runtime.h"
#include "kernels/simt/shared_array.h"

// NOLINTBEGIN(bugprone-macro-parentheses): T and the extents are pieces of a declaration
#define SIMT_SHARED(T, name, ...)    \
  static const char name##_key = 0;  \
  using name##_type = T __VA_ARGS__; \
  auto&& name = xf::simt::shared<name##_type>(&name##_key)
#define SIMT_DYN_SHARED(T, name) \
  const xf::simt::SharedArray<T[]> name(static_cast<T*>(xf::simt::dynamic_shared()))
#define SIMT_GRID_CONSTANT(T) const T&
// NOLINTEND(bugprone-macro-parentheses)
#define SIMT_UNROLL(n)

#define SIMT_SITE xf::simt::Site site = {__builtin_FILE(), __builtin_LINE()}

namespace xf::simt {

/// Bytes that all parameters of a kernel take at most.
inline constexpr size_t kMaxParameters = 32764;

template <class... Params, class... Args>
cudaError_t launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t dynamic_shared_bytes,
                   cudaStream_t stream, Args&&... args) {
  const std::tuple<std::decay_t<Params>...> values(static_cast<Params>(std::forward<Args>(args))...);
  static_assert(sizeof values <= kMaxParameters);
  return submit(reinterpret_cast<const void*>(kernel), grid, block, dynamic_shared_bytes, stream,
                [=] { std::apply(kernel, values); });
}

template <class T>
uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_trivially_copyable_v<T>);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class T>
T from_bits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// A shuffle: the value of lane `source`, or the caller's own where `source` lies outside its segment.
template <class T>
T shuffle(const char* operation, unsigned mask, T value, unsigned source, bool inside, Site site) {
  warp_exchange(operation, mask, to_bits(value), site);
  if (!inside) return value;
  if ((mask >> source & 1U) == 0) {
    fail(std::string(operation) + " reads lane " + std::to_string(source) + ", which its mask leaves out");
  }
  return from_bits<T>(exchanged(source));
}

/// Applies `update` to *address as one indivisible step; returns the old value.
template <class T, class Update>
T atomic_update(T* address, Update update) {
  using Word = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  static_assert(sizeof(T) == sizeof(Word));
  auto* word = reinterpret_cast<Word*>(address);
  Word seen = __atomic_load_n(word, __ATOMIC_RELAXED);
  for (;;) {
    const T old = std::bit_cast<T>(seen);
    if (__atomic_compare_exchange_n(word, &seen, std::bit_cast<Word>(static_cast<T>(update(old))), false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
      return old;
    }
  }
}

}  // namespace xf::simt

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): the names are CUDA's

inline void __syncthreads(SIMT_SITE) {
  xf::simt::block_barrier("__syncthreads", xf::simt::Vote::none, 0, site);
}
inline int __syncthreads_count(int predicate, SIMT_SITE) {
  return xf::simt::block_barrier("__syncthreads_count", xf::simt::Vote::count, predicate, site);
}
inline int __syncthreads_or(int predicate, SIMT_SITE) {
  return xf::simt::block_barrier("__syncthreads_or", xf::simt::Vote::any, predicate, site);
}
inline int __syncthreads_and(int predicate, SIMT_SITE) {
  return xf::simt::block_barrier("__syncthreads_and", xf::simt::Vote::all, predicate, site);
}
inline void __syncwarp(unsigned mask = ~0U, SIMT_SITE) {
  xf::simt::warp_exchange("__syncwarp", mask, 0, site);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, SIMT_SITE) {
  const unsigned segment = xf::simt::lane() & ~static_cast<unsigned>(width - 1);
  return xf::simt::shuffle("__shfl_sync", mask, value,
                           segment + (static_cast<unsigned>(source) & (width - 1U)), true, site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32, SIMT_SITE) {
  const unsigned lane = xf::simt::lane(), source = lane ^ static_cast<unsigned>(flip);
  return xf::simt::shuffle("__shfl_xor_sync", mask, value, source, source <= (lane | (width - 1U)), site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, SIMT_SITE) {
  const unsigned lane = xf::simt::lane();
  const bool inside = (lane & (width - 1U)) + distance < static_cast<unsigned>(width);
  return xf::simt::shuffle("__shfl_down_sync", mask, value, lane + distance, inside, site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, SIMT_SITE) {
  const unsigned lane = xf::simt::lane();
  return xf::simt::shuffle("__shfl_up_sync", mask, value, lane - distance, (lane & (width - 1U)) >= distance,
                           site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, SIMT_SITE) {
  xf::simt::warp_exchange("__ballot_sync", mask, predicate != 0 ? 1 : 0, site);
  unsigned ballot = 0;
  for (unsigned i = 0; i < 32; ++i)
    ballot |= (mask >> i & 1U & static_cast<unsigned>(xf::simt::exchanged(i))) << i;
  return ballot;
}
inline int __any_sync(unsigned mask, int predicate, SIMT_SITE) {
  return static_cast<int>(__ballot_sync(mask, predicate, site) != 0);
}
inline int __all_sync(unsigned mask, int predicate, SIMT_SITE) {
  return static_cast<int>(__ballot_sync(mask, predicate, site) == mask);
}

template <class T>
T atomicAdd(T* address, T value) {
  return xf::simt::atomic_update(address, [&](T old) { return old + value; });
}
template <class T>
T atomicMin(T* address, T value) {
  return xf::simt::atomic_update(address, [&](T old) { return value < old ? value : old; });
}
template <class T>
T atomicMax(T* address, T value) {
  return xf::simt::atomic_update(address, [&](T old) { return old < value ? value : old; });
}
template <class T>
T atomicOr(T* address, T value) {
  return xf::simt::atomic_update(address, [&](T old) { return old | value; });
}
template <class T>
T atomicExch(T* address, T value) {
  return xf::simt::atomic_update(address, [&](T) { return value; });
}
template <class T>
T atomicCAS(T* address, T expected, T value) {
  return xf::simt::atomic_update(address, [&](T old) { return old == expected ? value : old; });
}

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

#undef SIMT_SITE
