#pragma once
// How many threads to use, and the one parallel loop of the host code.

#include <cstdint>

namespace xf {

/// Cores this process may use: the smallest of its affinity mask, the CPU quota of its cgroup and those above
/// (v1 or v2), and SLURM_CPUS_PER_TASK; never less than 1, never the machine's count when it may use fewer.
int usable_cores();
/// The same for one of `processes` that may use `cores` together: what the cgroup allows is theirs together
/// too, what Slurm says is each one's own.
int share_of_cores(int cores, int processes);

/// Sets the number of threads of every later parallel loop and library call of the process. Throws UsageError
/// below 1.
void set_threads(int count);

/// The number in force: that of a ThreadsOfCaller, or else of set_threads(), or usable_cores().
int threads();

/// A number of threads for the thread that calls, as long as this lives, for work inside of another program:
/// nothing else in the process sees it, and OpenMP's own number for this thread is put back.
class ThreadsOfCaller {
 public:
  /// 0: usable_cores(). Throws UsageError below.
  explicit ThreadsOfCaller(int count);
  ThreadsOfCaller(const ThreadsOfCaller&) = delete;
  ThreadsOfCaller& operator=(const ThreadsOfCaller&) = delete;
  ~ThreadsOfCaller();

 private:
  int before_, openmp_before_;
};

/// Calls body(i) once for each i in [0, count), spread over threads() in contiguous static chunks. A body
/// must not depend on which thread runs it. The first exception is rethrown here.
template <class Body>
void parallel_for(int64_t count, Body&& body);

}  // namespace xf

#include "engine/core/threads_impl.h"
