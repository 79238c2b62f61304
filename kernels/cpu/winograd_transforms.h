#pragma once
// The transforms of Winograd's F(4x4, 3x3) (Lavin & Gray 2015, arXiv 1509.09308): with its matrices A, B and
// G, a tile of the convolution of x with w is Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A. Channels are multiples of 16.

#include "kernels/cpu/winograd_tiles.h"

namespace xf::cpu::winograd {

/// An activation in memory, NHWC in f32; a pixel lies `stride` elements behind the one before.
template <class T>
struct Pixels {
  T* data = nullptr;
  Shape shape;
  int64_t stride = 0;
  [[nodiscard]] T* at(int64_t image, int64_t row, int64_t column) const {
    return data + ((image * shape.h + row) * shape.w + column) * stride;
  }
};

/// What follows a convolution: y = act(sum + bias + residual). A missing one is null.
struct Epilogue {
  const float* bias = nullptr;
  Pixels<const float> residual;
  Activation act = Activation::none;
};

/// Some tiles that follow each other. Their transforms lie in panels, from `position` on.
struct TileRange {
  int64_t first = 0, count = 0, position = 0;
};

/// panels = Bᵀ x B of every tile.
void transform_input(const Pixels<const float>& x, const Margin& margin, const Tiling& tiling,
                     const TileRange& range, const Panels& to, float* panels);

/// y = epilogue(Aᵀ panels A).
void transform_output(const float* panels, const Panels& from, const Tiling& tiling, const TileRange& range,
                      const Epilogue& epilogue, const Pixels<float>& y);

/// panels = A dy Aᵀ: the transpose of the output's transform, for the weight gradient.
void transform_output_gradient(const Pixels<const float>& dy, const Tiling& tiling, const TileRange& range,
                               const Panels& to, float* panels);

/// panels = G w Gᵀ of canonical weights (OHWI), for a convolution with them: groups of outputs, an entry for
/// each input. `group`: the one to make.
void transform_weights(const float* w, const Shape& shape, int64_t group, float* panels);

/// The same for the convolution that is the data gradient: windows turned by 180°, groups of inputs, an entry
/// for each output. `output`: the one to make.
void transform_turned_weights(const float* w, const Shape& shape, int64_t output, float* panels);

/// dw = Gᵀ panels G of the weight gradient: groups of inputs, an entry for each output, of which this makes
/// `output`.
void transform_weight_gradient(const float* panels, const Shape& shape, int64_t output, float* dw);

}  // namespace xf::cpu::winograd
