#pragma once
// The vocabulary of every kernel: the one include of a .cu source. nvcc compiles that source for the device;
// g++ and clang++ compile the same source, unchanged, to run thread by thread on the CPU (see README.md).
//
// Kernels use CUDA's own names (threadIdx, __syncthreads, __shfl_xor_sync, atomicAdd …) and, where the two
// compilers need different text, these:
//   SIMT_SHARED(T, name, [n]…)     a __shared__ variable; SIMT_SHARED(float, tile, [8][32]) declares tile
//   SIMT_DYN_SHARED(T, name)       a T* to the launch's dynamic shared memory
//   SIMT_UNROLL(n)                 an unroll hint before a loop
//   SIMT_GRID_CONSTANT(T) name     a kernel's parameter of many KiB, which threads read where it lies
//   simt::launch(kernel, grid, block, dynamic_shared_bytes, stream, args…)
//   simt::load, simt::store, simt::Pack        every access of a kernel to global memory (memory.h)

#if defined(__CUDACC__)
#include "kernels/simt/on_device.h"
#else
#include "kernels/simt/on_host.h"
#endif

#include "kernels/simt/memory.h"
