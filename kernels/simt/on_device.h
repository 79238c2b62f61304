#pragma once
// simt.h as nvcc sees it: CUDA itself.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <utility>

#define SIMT_SHARED(T, name, ...) __shared__ T name __VA_ARGS__
#define SIMT_DYN_SHARED(T, name)                                       \
  extern __shared__ __align__(16) unsigned char simt_dynamic_shared[]; \
  T* name = reinterpret_cast<T*>(simt_dynamic_shared)
#define SIMT_GRID_CONSTANT(T) const __grid_constant__ T
#define SIMT_PRAGMA(text) _Pragma(#text)
#define SIMT_UNROLL(n) SIMT_PRAGMA(unroll n)

namespace xf::simt {

/// Bytes that all parameters of a kernel take at most.
#if CUDART_VERSION >= 12010
inline constexpr size_t kMaxParameters = 32764;
#else
inline constexpr size_t kMaxParameters = 4096;
#endif

/// Starts `kernel` on `stream`; the arguments are converted to the kernel's parameter types. Returns CUDA's
/// launch status.
template <class... Params, class... Args>
cudaError_t launch(void (*kernel)(Params...), dim3 grid, dim3 block, size_t dynamic_shared_bytes,
                   cudaStream_t stream, Args&&... args) {
  auto start = [&](Params... params) {
    void* pointers[] = {const_cast<void*>(static_cast<const void*>(&params))..., nullptr};
    return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers,
                            dynamic_shared_bytes, stream);
  };
  return start(static_cast<Params>(std::forward<Args>(args))...);
}

}  // namespace xf::simt
