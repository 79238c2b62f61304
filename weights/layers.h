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

/// What a tensor is within its layer, in the order in which Keras stores them. Caffe has one more: the factor
/// that divides mean and variance.
enum class Role : uint8_t { kernel, bias, gamma, beta, mean, variance, factor, unknown };

/// Keras's name of a role: "kernel", "moving_variance".
std::string_view keras_name(Role role);

/// The last part of a state dict's key: "weight", "running_var".
std::string_view state_dict_name(Role role);
/// The inverse, in a layer of this kind; unknown for another name.
Role state_dict_role(std::string_view part, LayerKind kind);

struct Part {
  Role role;
  size_t index;  ///< of the tensor in the list that the layers were made of
};

struct Layer {
  std::string name;  ///< canonical, without the last part: "Mixed_5b.branch1x1.conv"
  LayerKind kind;
  std::vector<Part> parts;  ///< in ascending order of role
};

/// Whether a canonical layer is fully connected.
bool is_dense(std::string_view layer);

/// Groups tensors by layer, in the order in which the layers first occur. Throws InternalError for a name
/// that does not end in weight, bias, running_mean or running_var.
std::vector<Layer> layers_of(std::span<const NamedShape> tensors);

/// Extents of a tensor in a file. Keras: kernels HWIO, those of dense layers (h*w*in, out). With outputs
/// first (PyTorch, Caffe): OIHW, dense (out, in*h*w). Vectors (c).
std::vector<int64_t> keras_dims(const NamedShape& tensor, LayerKind kind, Role role);
std::vector<int64_t> outputs_first_dims(const NamedShape& tensor, LayerKind kind, Role role);

/// From the model's order of a kernel, OHWI, to a file's: (HWI)O, or O(IHW). A vector is copied. Both spans
/// have shape.count() elements.
void to_keras_order(std::span<const float> ours, const Shape& shape, std::span<float> out);
void to_outputs_first(std::span<const float> ours, const Shape& shape, std::span<float> out);

/// Part of a kernel in Keras's order, its rows [first, first + rows of `stored`) of the matrix (HWI)O, to
/// their places in the model's.
void place_keras_rows(std::span<const float> stored, int64_t first, const Shape& shape, std::span<float> out);
/// The same of O(IHW): `stored` begins with output `first` and holds whole outputs.
void place_outputs(std::span<const float> stored, int64_t first, const Shape& shape, std::span<float> out);

}  // namespace xf::weights
