#pragma once
// How Winograd's F(4x4, 3x3) cuts a convolution into tiles, and how their transforms lie in memory.
//
// A tile is 4x4 output positions and the 6x6 input positions that they read. Its transform has 36 numbers a
// channel, its frequencies. Channels come in groups of 16.

#include <cstdint>

#include "engine/graph/ops.h"

namespace xf::cpu::winograd {

constexpr int64_t kOutputs = 4;  ///< rows and columns of a tile's output
constexpr int64_t kInputs = 6;   ///< rows and columns of a tile's input, and of its transform
constexpr int64_t kFrequencies = 36;
constexpr int64_t kGroup = 16;  ///< channels of a group

/// The tiles of a batch: image by image, row by row.
struct Tiling {
  int64_t rows = 0, columns = 0;  ///< of tiles in an image
  int64_t count = 0;              ///< in the batch

  /// Of a convolution whose output has this shape.
  explicit Tiling(const Shape& output)
      : rows((output.h + kOutputs - 1) / kOutputs),
        columns((output.w + kOutputs - 1) / kOutputs),
        count(output.n * rows * columns) {}

  /// A tile's image and first output position.
  struct Place {
    int64_t image, row, column;
  };
  [[nodiscard]] Place place(int64_t tile) const {
    return {tile / (rows * columns), tile / columns % rows * kOutputs, tile % columns * kOutputs};
  }
};

/// The transforms of some tiles, or of weights, where `length` is the number of their channels on the other
/// side: [frequency][group][length][16], a line apart from one frequency to the next beyond that, so that a
/// tile's frequencies do not all fall into one set of a cache.
struct Panels {
  int64_t groups = 0, length = 0;

  [[nodiscard]] int64_t group_stride() const { return length * kGroup; }
  [[nodiscard]] int64_t frequency_stride() const { return groups * group_stride() + kGroup; }
  [[nodiscard]] int64_t count() const { return kFrequencies * frequency_stride(); }
};

/// Rows and columns of zeros before the input.
struct Margin {
  int64_t top = 0, left = 0;
};

}  // namespace xf::cpu::winograd
