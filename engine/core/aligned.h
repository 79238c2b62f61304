#pragma once
// The alignment of everything that a device's memory is divided into.

#include <cstddef>

namespace xf {

constexpr size_t kAlignment = 256;

/// The least multiple of the alignment that holds so many bytes.
constexpr size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace xf
