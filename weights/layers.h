#pragma once
// A model's parameters and states as files see them: layers with a kernel and a bias, or with the four
// vectors of a batch normalisation.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/shape.h"

namespace xf::weights {

/// A tensor of a model: its canonical (torchvision's) dotted name, "Mixed_5b.branch1x1.conv.weight", and its
/// shape: convolution kernels OHWI, dense kernels (out, h, w, in), vectors (1, 1, 1, c).
struct NamedShape {
  std::string name;
  Shape shape;
};

enum class LayerKind : uint8_t { convolution, dense, batch_norm };

/// What a tensor is within its layer, in the order in which Keras stores them.
enum class Role : uint8_t { kernel, bias, gamma, beta, mean, variance, unknown };

/// Keras's name of a role: "kernel", "moving_variance".
std::string_view keras_name(Role role);

struct Part {
  Role role;
  size_t index;  ///< of the tensor in the list that the layers were made of
};

struct Layer {
  std::string name;  ///< canonical, without the last part: "Mixed_5b.branch1x1.conv"
  LayerKind kind;
  std::vector<Part> parts;  ///< in ascending order of role
};

/// The classifier's layer, whose width depends on the data.
inline constexpr std::string_view kTop = "fc";

/// Groups tensors by layer, in the order in which the layers first occur. Throws InternalError for a name
/// that does not end in weight, bias, running_mean or running_var.
std::vector<Layer> layers_of(std::span<const NamedShape> tensors);

/// Extents of a tensor in a Keras file: HWIO for convolutions, (h*w*in, out) for dense layers, (c) for
/// vectors.
std::vector<int64_t> keras_dims(const NamedShape& tensor, LayerKind kind, Role role);

/// Between the two orders of a kernel, OHWI and (HWI)O; a vector is copied. Both spans have shape.count()
/// elements.
void from_keras_order(std::span<const float> stored, const Shape& shape, std::span<float> out);
void to_keras_order(std::span<const float> ours, const Shape& shape, std::span<float> out);

}  // namespace xf::weights
