#include "engine/core/threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/core/error.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

constexpr int kNone = 1 << 20;

/// Of one control group, in cores, rounded up: v2's cpu.max or v1's two files; kNone where it has no quota.
int quota_of(const fs::path& group) {
  std::string quota;
  double period = 0;
  std::ifstream v2(group / "cpu.max");
  if (!(v2 >> quota >> period)) {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  const double time = std::strtod(quota.c_str(), nullptr);  // "max" and -1: none
  return time > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(time / period))) : kNone;
}

/// The smallest quota of the process's own group and of those above it. A container may see its own group as
/// the root, under another name than the kernel's: the root always counts.
int cgroup_cores() {
  int cores = kNone;
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {  // ID:CONTROLLERS:/PATH
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    fs::path root("/sys/fs/cgroup");
    if (("," + controllers + ",").find(",cpu,") != std::string::npos)
      root /= "cpu";
    else if (!controllers.empty())
      continue;
    for (fs::path group = line.substr(second + 1);; group = group.parent_path()) {
      cores = std::min(cores, quota_of(root / group.relative_path()));
      if (!group.has_relative_path()) break;
    }
  }
  return cores;
}

int slurm_cores() {
  const char* text = std::getenv("SLURM_CPUS_PER_TASK");
  if (text == nullptr) return kNone;
  int n = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), n);
  return error == std::errc{} && n > 0 ? n : kNone;
}

std::atomic<int> process_count = 0;  // 0: not settled yet
thread_local int thread_count = 0;   // 0: the process's

}  // namespace

int share_of_cores(int cores, int processes) {
  return std::min(
      {std::max(1, std::min(cores, cgroup_cores()) / processes), affinity_cores(), slurm_cores()});
}

int usable_cores() { return share_of_cores(affinity_cores(), 1); }

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
