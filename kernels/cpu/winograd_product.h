#pragma once
// The matrix products between Winograd's transforms: one for each of the 36 frequencies, on panels as the
// transforms write and read them.

#include "kernels/cpu/winograd_tiles.h"

namespace xf::cpu::winograd {

/// A part of all products: one frequency, result groups [first_group, last_group).
struct ProductPart {
  int64_t frequency = 0, first_group = 0, last_group = 0;
};

/// Numbers of one vector of the instruction set in use.
int vector_lanes();

/// Result groups that the innermost loop computes side by side: a part should have a multiple of them.
int64_t groups_side_by_side();

/// y[tile][out] = Σ x[tile][in] w[in][out] for `tiles` tiles. Each sum is taken over the inputs in their
/// order, whatever the part.
void multiply(const ProductPart& part, int64_t tiles, const Panels& of_x, const float* x, const Panels& of_w,
              const float* w, const Panels& of_y, float* y);

/// Whether a sum replaces what is there.
enum class Sums : uint8_t { set, add };

/// dw[out][in] (+)= Σ dy[tile][out] x[tile][in] over `tiles` tiles, in their order; the result's groups are
/// those of x.
void multiply_gradient(const ProductPart& part, int64_t tiles, const Panels& of_x, const float* x,
                       const Panels& of_dy, const float* dy, const Panels& of_dw, float* dw, Sums sums);

}  // namespace xf::cpu::winograd
