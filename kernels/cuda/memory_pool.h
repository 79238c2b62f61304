#pragma once
// Device memory: one large piece for what was announced, and pieces of their own for the rest.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "engine/run/backend.h"

namespace xf::cuda {

class MemoryPool {
 public:
  /// `device` is current on the calling thread in every call; `name` is for errors.
  explicit MemoryPool(std::string name) : name_(std::move(name)) {}

  /// Allocates `bytes` for the take() calls that follow. Throws MemoryError with the bytes asked for and
  /// free.
  void set_aside(size_t bytes);
  /// Uninitialised, 256-byte aligned: from what was set aside while that lasts.
  Buffer take(size_t bytes);
  /// What take() can still give.
  [[nodiscard]] size_t available() const;

 private:
  [[nodiscard]] std::shared_ptr<std::byte> allocate(size_t bytes) const;
  std::string name_;
  std::shared_ptr<std::byte> piece_;
  size_t piece_bytes_ = 0, used_ = 0;
};

}  // namespace xf::cuda
