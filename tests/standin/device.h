#pragma once
// The device that the stand-in pretends to be: what it says of itself, and its memory.

#include <cstddef>
#include <functional>
#include <map>

namespace xf::standin {

/// What the stand-in answers when it is asked about drivers and devices. Versions as CUDA counts them.
struct Machine {
  int driver_version = 99990;  ///< 0: no driver
  int devices = 1;
  int compute_major = 9, compute_minor = 0;
  size_t memory_bytes = size_t{1} << 32;
  size_t cudnn_version = 0;  ///< 0: that of the headers
  int nccl_version = 0;      ///< likewise
  int nccl_init = 0;         ///< what ncclCommInitRank returns, where that is an error
};
/// The machine from now on; memory that is in use stays.
Machine& machine();
/// The calling thread's.
int& current_device();

/// Device memory. The host can neither read nor write it: pages are inaccessible unless work of a stream
/// runs.
class DeviceMemory {
 public:
  /// 256-byte aligned and filled with 0xff bytes; null when less than that is left.
  void* take(size_t bytes);
  /// Whether `p` was given out and not given back before; then it is given back.
  bool give_back(void* p);
  /// Whether all of [p, p + bytes) lies in one piece that is in use.
  [[nodiscard]] bool holds(const void* p, size_t bytes) const;
  /// Whether p lies among device addresses at all.
  [[nodiscard]] bool is_device_address(const void* p) const;
  [[nodiscard]] size_t used() const { return used_; }
  /// How many pieces are in use.
  [[nodiscard]] size_t pieces() const { return in_use_.size(); }

  /// Calls work() with the memory accessible.
  void open_for(const std::function<void()>& work);

 private:
  void protect(bool accessible) const;
  std::map<const char*, size_t> in_use_;
  size_t top_ = 0, used_ = 0;
  int open_ = 0;
};
DeviceMemory& device_memory();

}  // namespace xf::standin
