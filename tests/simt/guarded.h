#pragma once
// A matrix for a kernel to work on, and the bytes around its rows that no kernel may touch.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/core/dtype.h"
#include "kernels/simt/fence.h"

namespace xf::test {

/// `rows` rows of `channels` elements of T, `stride` apart, between two guards. The matrix begins `offset`
/// elements past a multiple of 64 bytes. Elements start as NaN; guards and gaps between rows as a pattern,
/// and behind a fence. A copy is for comparing, not for kernels.
template <class T>
class Guarded {
 public:
  Guarded(int64_t rows, int64_t channels, int64_t stride, int64_t offset = 0)
      : rows_(rows),
        channels_(channels),
        stride_(stride),
        bytes_(static_cast<size_t>(offset + rows * stride) * sizeof(T) + 3 * kGuard, kPattern) {
    const size_t excess = reinterpret_cast<uintptr_t>(bytes_.data()) % kGuard;
    first_ = kGuard + (kGuard - excess) % kGuard + static_cast<size_t>(offset) * sizeof(T);
    for (int64_t r = 0; r < rows; ++r) std::memset(bytes_.data() + at(r), 0xFF, row_bytes());
    const auto begin = reinterpret_cast<uintptr_t>(bytes_.data());
    fence_ = simt::Fence({begin, begin + bytes_.size(), begin + first_, static_cast<size_t>(rows),
                          row_bytes(), static_cast<size_t>(stride) * sizeof(T)});
  }
  explicit Guarded(int64_t channels) : Guarded(1, channels, channels) {}

  [[nodiscard]] T* data() { return reinterpret_cast<T*>(bytes_.data() + first_); }
  [[nodiscard]] T get(int64_t row, int64_t channel) const {
    T value;
    std::memcpy(&value, bytes_.data() + at(row) + static_cast<size_t>(channel) * sizeof(T), sizeof(T));
    return value;
  }
  void set(int64_t row, int64_t channel, T value) {
    std::memcpy(bytes_.data() + at(row) + static_cast<size_t>(channel) * sizeof(T), &value, sizeof(T));
  }

  /// Whether the elements have the same bits.
  friend bool operator==(const Guarded& a, const Guarded& b) {
    for (int64_t r = 0; r < a.rows_; ++r) {
      if (std::memcmp(a.bytes_.data() + a.at(r), b.bytes_.data() + b.at(r), a.row_bytes()) != 0) return false;
    }
    return true;
  }

  /// Whether every byte outside of the rows is as it was.
  [[nodiscard]] bool intact() const {
    std::vector<uint8_t> rest = bytes_;
    for (int64_t r = 0; r < rows_; ++r) std::memset(rest.data() + at(r), kPattern, row_bytes());
    for (const uint8_t byte : rest) {
      if (byte != kPattern) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr uint8_t kPattern = 0xA5;
  [[nodiscard]] size_t at(int64_t row) const {
    return first_ + static_cast<size_t>(row * stride_) * sizeof(T);
  }
  [[nodiscard]] size_t row_bytes() const { return static_cast<size_t>(channels_) * sizeof(T); }

  int64_t rows_, channels_, stride_;
  std::vector<uint8_t> bytes_;
  size_t first_ = 0;
  simt::Fence fence_;
};

}  // namespace xf::test
