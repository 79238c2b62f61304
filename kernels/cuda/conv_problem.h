#pragma once
// A convolution, or a gradient of one, as cuDNN is asked for it.

#include <cstdint>
#include <string>

#include "engine/graph/ops.h"
#include "engine/run/backend.h"

namespace xf::cuda {

enum class ConvKind : uint8_t { forward, data_gradient, weight_gradient };

/// Over dense NHWC activations and OHWI weights, all of one element type; sums are f32. forward is
/// y = act(x * w + residual + bias), where `residual` is like y and `bias` has y.c elements of that type.
struct ConvProblem {
  ConvKind kind = ConvKind::forward;
  DType type = DType::f32;  ///< f32, bf16 or f16
  Math math = Math::f32;    ///< of products, where the type is f32
  Conv2d window;            ///< its activation: of forward
  Shape x, y;
  bool bias = false, residual = false;
  [[nodiscard]] Shape weights() const { return {y.c, window.kernel_h, window.kernel_w, x.c}; }
};

/// Whether the window is one position and meets each of x once: a matrix product.
constexpr bool is_product(const Conv2d& c) {
  return c.kernel_h * c.kernel_w * c.stride_h * c.stride_w == 1 && c.pad == Padding{};
}

/// Everything in it, in one line: "forward f32 x 16x56x56x64 y 16x56x56x64 window 3x3 …".
std::string to_string(const ConvProblem& problem);

}  // namespace xf::cuda
