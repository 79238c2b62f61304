#include "kernels/cpu/host_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "engine/core/error.h"
#include "engine/core/threads.h"

namespace xf::cpu {

namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

/// The number in a file of one; unlimited where there is no such file or number ("max").
uint64_t number_in(const std::string& path) {
  std::ifstream in(path);
  uint64_t n = 0;
  return in >> n ? n : kUnlimited;
}

uint64_t system_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string key; in >> key;) {
    uint64_t kib = 0;
    if (key == "MemAvailable:" && in >> kib) return kib * 1024;
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return kUnlimited;
}

/// What one cgroup leaves. Its page cache counts as used, but would be given up: `cache` says how much.
uint64_t left_in(uint64_t limit, uint64_t used, uint64_t cache) {
  if (limit == kUnlimited || used == kUnlimited) return kUnlimited;
  used -= std::min(used, cache);
  return limit - std::min(limit, used);
}

uint64_t inactive_cache(const std::string& folder) {
  std::ifstream in(folder + "/memory.stat");
  uint64_t value = 0;
  for (std::string key; in >> key >> value;)
    if (key == "inactive_file" || key == "total_inactive_file") return value;
  return 0;
}

/// The tightest limit of this process's cgroup (v2) and those above it.
uint64_t cgroup_memory() {
  std::string own;
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("0::", 0) == 0) own = line.substr(3);
  uint64_t least = kUnlimited;
  for (std::string path = own == "/" ? "" : own;; path.resize(path.rfind('/'))) {
    const std::string folder = "/sys/fs/cgroup" + path;
    least = std::min(least, left_in(number_in(folder + "/memory.max"), number_in(folder + "/memory.current"),
                                    inactive_cache(folder)));
    if (path.find('/') == std::string::npos) break;
  }
  const std::string v1 = "/sys/fs/cgroup/memory";
  return std::min(least, left_in(number_in(v1 + "/memory.limit_in_bytes"),
                                 number_in(v1 + "/memory.usage_in_bytes"), inactive_cache(v1)));
}

[[noreturn]] void does_not_fit(size_t bytes, uint64_t available) {
  throw MemoryError(
      "memory",
      fmt::format("{} bytes ({:.2f} GiB) are needed, {} bytes ({:.2f} GiB) are available", bytes,
                  static_cast<double>(bytes) * 0x1p-30, available, static_cast<double>(available) * 0x1p-30),
      "choose a smaller --batch, or leave more memory to this process");
}

}  // namespace

uint64_t available_memory() { return std::min(system_memory(), cgroup_memory()); }

Buffer map_memory(size_t bytes) {
  if (bytes == 0) return {};
  const uint64_t available = available_memory();
  // Asked for before, not after: an over-committed page that is not there ends the process, without a word.
  if (bytes > available) does_not_fit(bytes, available);
  const size_t size = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  const size_t mapped = size + kHugePage;
  void* start = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) does_not_fit(bytes, available);
  const auto address = reinterpret_cast<uintptr_t>(start);
  auto* data = static_cast<std::byte*>(start) + (kHugePage - address % kHugePage) % kHugePage;
  ::madvise(data, size, MADV_HUGEPAGE);  // a wish: without huge pages it is only slower
  parallel_for(static_cast<int64_t>(size / kHugePage), [&](int64_t page) {
    constexpr size_t kSmallPage = 4096;
    std::byte* begin = data + static_cast<size_t>(page) * kHugePage;
    for (size_t i = 0; i < kHugePage; i += kSmallPage)
      *static_cast<volatile std::byte*>(begin + i) = std::byte{0};
  });
  return {std::shared_ptr<std::byte>(data, [start, mapped](std::byte*) { ::munmap(start, mapped); }), bytes};
}

}  // namespace xf::cpu
