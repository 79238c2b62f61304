#pragma once
// What reading and writing share: handles that close themselves, a silent error stack, one lock. Private to
// engine/io; without hdf5.h, whose identifiers are plain 64-bit integers.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace xf::hdf5 {

/// Held by every function that calls the library: serialises the calls, and keeps the library's error stack
/// off stderr (a setting of the thread).
class Session {
 public:
  Session();

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

/// An identifier and the function that closes it.
class Handle {
 public:
  using Close = int (*)(int64_t);
  Handle() = default;
  Handle(int64_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() { close(); }

  [[nodiscard]] bool ok() const { return id_ >= 0; }
  [[nodiscard]] int64_t id() const { return id_; }
  /// Returns whether the library could close it.
  bool close() { return id_ < 0 || close_(std::exchange(id_, -1)) >= 0; }

 private:
  int64_t id_ = -1;
  Close close_ = nullptr;
};

/// The library's account of its last failure.
std::string last_failure();

/// Largest attribute that Keras writes into one object header; above it an array of strings is split.
inline constexpr int64_t kAttributeLimit = 64512;

}  // namespace xf::hdf5
