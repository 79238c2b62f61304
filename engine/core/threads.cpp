#include "engine/core/threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "engine/core/error.h"

namespace xf {

namespace {

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

/// The quota in cores, rounded up, or a large number where there is none.
int cgroup_cores() {
  constexpr int kNone = 1 << 20;
  // v2: the process's own group first, then the mount's root (inside a container they are the same file).
  std::string own;
  {
    std::ifstream in("/proc/self/cgroup");
    for (std::string line; std::getline(in, line);)
      if (line.rfind("0::", 0) == 0) own = line.substr(3);
  }
  for (const std::string& path :
       {"/sys/fs/cgroup" + own + "/cpu.max", std::string("/sys/fs/cgroup/cpu.max")}) {
    std::ifstream in(path);
    std::string quota;
    double period = 0;
    if (in >> quota >> period && quota != "max" && period > 0)
      return std::max(1, static_cast<int>(std::ceil(std::strtod(quota.c_str(), nullptr) / period)));
  }
  std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (q >> quota && p >> period && quota > 0 && period > 0)
    return std::max(1, static_cast<int>(std::ceil(quota / period)));
  return kNone;
}

int slurm_cores() {
  constexpr int kNone = 1 << 20;
  const char* text = std::getenv("SLURM_CPUS_PER_TASK");
  if (text == nullptr) return kNone;
  int n = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), n);
  return error == std::errc{} && n > 0 ? n : kNone;
}

std::atomic<int> process_count = 0;  // 0: not settled yet
thread_local int thread_count = 0;   // 0: the process's

}  // namespace

int usable_cores() { return std::min({affinity_cores(), cgroup_cores(), slurm_cores()}); }

void set_threads(int count) {
  if (count < 1) throw UsageError("--threads", "needs a count of 1 or more, got " + std::to_string(count));
  process_count = count;
  omp_set_num_threads(count);
}

int threads() {
  if (thread_count != 0) return thread_count;
  if (process_count == 0) set_threads(usable_cores());
  return process_count;
}

ThreadsOfCaller::ThreadsOfCaller(int count) : before_(thread_count), openmp_before_(omp_get_max_threads()) {
  if (count < 0) throw UsageError("threads", "cannot be " + std::to_string(count));
  thread_count = count == 0 ? usable_cores() : count;
  omp_set_num_threads(thread_count);
}

ThreadsOfCaller::~ThreadsOfCaller() {
  thread_count = before_;
  omp_set_num_threads(openmp_before_);
}

}  // namespace xf
