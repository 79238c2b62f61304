#pragma once
// How our own weight gradients walk over a batch: in chunks whose packed operands stay in a core's cache. All
// of it follows from the shapes alone, so results do not depend on how many threads there are.

#include <vector>

#include "engine/graph/ops.h"
#include "kernels/cpu/wgrad_tile.h"

namespace xf::cpu::wgrad {

/// The positions that one kernel tap multiplies: output (row, q) meets the input pixel (row * stride_h +
/// row_offset, phase + (q + column_offset) * stride_w).
struct Tap {
  int64_t row_offset = 0, column_offset = 0, phase = 0;
  int64_t first_row = 0, last_row = 0, first_column = 0, last_column = 0;  ///< outputs that stay in the input
};

/// The convolution as seen here. Without horizontal taps and strides, the rows of a small map follow each
/// other like one long row, so that runs are long.
struct Walk {
  DType type;
  int64_t images, rows, columns, in_rows, in_columns, stride_h, stride_w;
  std::vector<Tap> taps;
  Walk(const Conv2d& op, const Shape& x, const Shape& y, DType type);

  /// Pixels of one row that are `phase` modulo the stride.
  [[nodiscard]] int64_t pixels(int64_t phase) const { return (in_columns - phase + stride_w - 1) / stride_w; }
  [[nodiscard]] int64_t x_row_entries() const { return stride_w * x_entries(type, pixels(0)); }
  [[nodiscard]] int64_t dy_row_entries() const { return dy_entries(type, columns); }
  /// Whether any tap reads this input row, or pixels of this phase.
  [[nodiscard]] bool reads_row(int64_t in_row) const;
  [[nodiscard]] bool reads_phase(int64_t phase) const;
};

/// Some images' rows [first_row, last_row) of dy, and the input rows that they meet.
struct ChunkShape {
  int64_t images = 1, first_row = 0, last_row = 0;
  int64_t first_in_row = 0, last_in_row = 0;
  std::vector<std::vector<Run>> runs;  ///< of each tap
  [[nodiscard]] int64_t rows() const { return last_row - first_row; }
  [[nodiscard]] int64_t in_rows() const { return last_in_row - first_in_row; }
};

struct Chunk {
  size_t shape = 0;  ///< in Chunks::shapes
  int64_t first_image = 0;
};

struct Chunks {
  std::vector<ChunkShape> shapes;
  std::vector<Chunk> order;
  explicit Chunks(const Walk& walk);
};

}  // namespace xf::cpu::wgrad
