#pragma once
// Per-channel reductions over the rows of an activation: taken block by block in f32, then combined in f64 in
// one order.

#include <cstddef>

#include "engine/core/shape.h"
#include "kernels/cpu/tiles.h"

namespace xf::cpu {

/// Two numbers a channel, as two vectors.
struct ChannelPair {
  float *first, *second;
};

/// A ChannelPair for every block of rows of an activation of shape `x`.
class BlockSums {
 public:
  BlockSums(const Shape& x, float* memory)
      : blocks_(row_blocks(x.rows(), x.c)), channels_(x.c), memory_(memory) {}
  /// How many floats the constructor's `memory` must hold.
  static int64_t floats(const Shape& x) { return row_blocks(x.rows(), x.c).count() * x.c * 2; }

  [[nodiscard]] const Blocks& blocks() const { return blocks_; }
  [[nodiscard]] ChannelPair operator[](int64_t block) const {
    float* p = memory_ + 2 * block * channels_;
    return {p, p + channels_};
  }

  /// Of blocks that each hold their sums: the sums of all. A null pointer in `out` is left out.
  void total(ChannelPair out) const;
  /// Of blocks that each hold their mean and their sum of squared deviations from it: those of all rows
  /// (Chan, Golub, LeVeque 1979).
  void combine_moments(ChannelPair out) const;

 private:
  Blocks blocks_;
  int64_t channels_;
  float* memory_;
};

}  // namespace xf::cpu
