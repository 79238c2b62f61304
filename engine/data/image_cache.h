#pragma once
// Decoded and resized images, kept while they fit.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace xf {

/// Holds the first `limit / image_bytes` of `count` images, all of one size. Which ones depends on nothing
/// else, so that the memory in use is known beforehand. Any number of threads may use it at once.
class ImageCache {
 public:
  ImageCache(size_t count, size_t image_bytes, size_t limit);

  /// Copies image i to `out` if it is here.
  [[nodiscard]] bool get(size_t i, std::span<uint8_t> out) const;
  /// Keeps image i if there is room for it and no other thread is about to.
  void put(size_t i, std::span<const uint8_t> image);

  [[nodiscard]] size_t bytes_held() const { return held_.load() * image_bytes_; }
  /// What bytes_held() can become.
  static size_t bytes_bound(size_t count, size_t image_bytes, size_t limit);

 private:
  enum class State : uint8_t { empty, filling, ready };
  size_t image_bytes_;
  std::vector<std::atomic<State>> states_;
  std::unique_ptr<uint8_t[]> bytes_;  // not touched, and so not resident, before images arrive
  std::atomic<size_t> held_ = 0;
};

}  // namespace xf
