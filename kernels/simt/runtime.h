#pragma once
// Runs kernels on the CPU, one block after another and each thread of a block on a fiber of its own. A thread
// runs until it waits for its block or its warp; which thread goes on then is the schedule's choice. What is
// undefined on a device and depends on that choice on the host (a missing barrier, say) shows as results that
// differ between schedules; what is a plain error is thrown as a KernelError.
//
// This half is used by tests alone; one launch runs at a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/core/error.h"
#include "kernels/simt/cuda_vocabulary.h"
#include "kernels/simt/schedule.h"

namespace xf::simt {

/// A kernel did what a device leaves undefined. The text names block, thread, operation, file and line.
struct KernelError : InternalError {
  using InternalError::InternalError;
};

/// A line of a kernel's source.
struct Site {
  const char* file = "";
  int line = 0;
};

/// Calls `thread` once for every thread of every block: now, or when the queue of launch.h says. `kernel` is
/// the function that names the launch where accesses are counted. Returns
/// cudaErrorInvalidConfiguration for a grid or block that no device takes, cudaErrorInvalidValue for more
/// shared memory than there is. The run throws what a thread throws, and KernelError when threads wait
/// forever.
cudaError_t submit(const void* kernel, dim3 grid, dim3 block, size_t dynamic_shared_bytes,
                   cudaStream_t stream, std::function<void()> thread);

// What follows is called on a simulated thread.

/// What the threads of a barrier tell each other: how many predicates hold, whether any does, whether all do.
enum class Vote : uint8_t { none, count, any, all };

/// Waits for every thread of the block. A thread that waits elsewhere, or has returned, is an error.
int block_barrier(const char* operation, Vote vote, int predicate, Site site);

/// Waits for the lanes in `mask`, which must all make this same call, and gives them `value`.
void warp_exchange(const char* operation, unsigned mask, uint64_t value, Site site);
/// What `lane` gave in this thread's latest exchange.
uint64_t exchanged(unsigned lane);

/// This thread's position in its warp.
unsigned lane();

/// The block's memory for the shared variable identified by `key`, filled with 0xFF bytes (NaN in every
/// floating type) when the block begins.
void* shared_variable(const void* key, size_t bytes);
/// The launch's dynamic shared memory, filled likewise.
void* dynamic_shared();

enum class Access : uint8_t { load, store, shared };
/// Whether accesses are counted: inside of count_traffic() (traffic.h).
extern bool counting;
/// Counts an access of this thread, which it makes at `site`.
void count_access(Access access, const void* address, size_t bytes, Site site);

/// Throws a KernelError for this thread.
[[noreturn]] void fail(const std::string& reason);

}  // namespace xf::simt

// CUDA's built-in variables: those of the thread that runs now.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
