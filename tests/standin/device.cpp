#include "tests/standin/device.h"

#include <sys/mman.h>

#include <cstring>
#include <stdexcept>

namespace xf::standin {
namespace {

// Huge pages where there are any: memory is made accessible and inaccessible again for each piece of work,
// which takes time by the page.
constexpr size_t kArena = size_t{1} << 34, kAlignment = 256, kPage = size_t{2} << 20;

size_t rounded_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

char* arena() {
  static char* const base = [] {
    void* p = mmap(nullptr, kArena + kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::runtime_error("stand-in: no address space for device memory");
    const auto address = reinterpret_cast<uintptr_t>(p);
    char* first = static_cast<char*>(p) + (rounded_up(address, kPage) - address);
    madvise(first, kArena, MADV_HUGEPAGE);
    return first;
  }();
  return base;
}

}  // namespace

Machine& machine() {
  static Machine m;
  return m;
}

int& current_device() {
  static thread_local int device = 0;
  return device;
}

DeviceMemory& device_memory() {
  static DeviceMemory m;
  return m;
}

void DeviceMemory::protect(bool accessible) const {
  mprotect(arena(), rounded_up(top_, kPage), accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

void* DeviceMemory::take(size_t bytes) {
  // Addresses are not used again, so that a piece that was given back is found when it is touched late.
  const size_t taken = rounded_up(bytes, kAlignment) + kAlignment;
  if (used_ + bytes > machine().memory_bytes || top_ + taken > kArena) return nullptr;
  char* p = arena() + top_;
  top_ += taken;
  used_ += bytes;
  in_use_[p] = bytes;
  protect(true);
  std::memset(p, 0xFF, taken);
  if (open_ == 0) protect(false);
  return p;
}

bool DeviceMemory::give_back(void* p) {
  const auto it = in_use_.find(static_cast<char*>(p));
  if (it == in_use_.end()) return false;
  used_ -= it->second;
  // The pages go back to the system; the address range stays reserved.
  const size_t first = rounded_up(static_cast<size_t>(it->first - arena()), kPage);
  const size_t last = static_cast<size_t>(it->first - arena()) + it->second;
  if (last > first + kPage) madvise(arena() + first, (last - first) / kPage * kPage, MADV_DONTNEED);
  in_use_.erase(it);
  return true;
}

bool DeviceMemory::is_device_address(const void* p) const { return p >= arena() && p < arena() + kArena; }

bool DeviceMemory::holds(const void* p, size_t bytes) const {
  const char* first = static_cast<const char*>(p);
  auto it = in_use_.upper_bound(first);
  if (it == in_use_.begin()) return false;
  --it;
  return first + bytes <= it->first + it->second;
}

void DeviceMemory::open_for(const std::function<void()>& work) {
  struct Open {
    explicit Open(DeviceMemory& m) : memory(m) {
      if (memory.open_++ == 0) memory.protect(true);
    }
    ~Open() {
      if (--memory.open_ == 0) memory.protect(false);
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    DeviceMemory& memory;
  };
  const Open open(*this);
  work();
}

}  // namespace xf::standin
