#pragma once
// Shapes. Every tensor of the engine has four dimensions, outermost first.

#include <cstdint>
#include <string>

namespace xf {

/// Extents of a tensor. Activations are NHWC (images, rows, columns, channels). Other tensors use the same
/// four slots: convolution weights are OHWI (outputs, kernel rows, kernel columns, inputs), dense weights
/// (outputs, 1, 1, inputs), per-channel vectors (1, 1, 1, channels), per-image values (images, 1, 1, 1).
struct Shape {
  int64_t n = 1, h = 1, w = 1, c = 1;

  [[nodiscard]] constexpr int64_t count() const { return n * h * w * c; }
  /// Positions: the number of channel vectors, n*h*w.
  [[nodiscard]] constexpr int64_t rows() const { return n * h * w; }
  friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

/// The shape of a per-channel vector.
constexpr Shape vector_shape(int64_t channels) { return {1, 1, 1, channels}; }

/// "16x35x35x256".
std::string to_string(const Shape& s);

}  // namespace xf
