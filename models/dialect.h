#pragma once
// What a weight file fixes besides its numbers: the graph that it was trained on and the images that it was
// shown. Files of one name ("ResNet50") differ in all of this, so it travels in every file written here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/data/preprocess.h"
#include "engine/graph/ops.h"

namespace xf {

/// Whose definition of the network.
enum class Family : uint8_t { keras, torchvision, caffe };
/// Whether batch normalisation has a trained scale (Keras's InceptionV3 has none: scale=False).
enum class BnGamma : uint8_t { absent, present };
enum class PoolRounding : uint8_t { floor, ceil };
/// Where a ResNet's bottleneck has its stride: "v1" in the first 1x1, "v1.5" in the 3x3.
enum class StridePlacement : uint8_t { first_1x1, middle_3x3 };
enum class ConvBias : uint8_t { absent, present };

struct Dialect {
  Family family = Family::torchvision;
  float bn_eps = 1e-5F;
  BnGamma bn_gamma = BnGamma::present;
  CountPadding average_pool = CountPadding::no;  ///< of the padded 3x3 average pools
  PoolRounding pool_rounding = PoolRounding::floor;
  StridePlacement stride = StridePlacement::middle_3x3;
  ConvBias conv_bias = ConvBias::absent;
  /// Value range and channel order of the input. Nothing where the file does not say.
  std::optional<Preprocess> preprocess;
  ResizeRule resize = ResizeRule::pil_bilinear;
  int input_size = 224;  ///< rows and columns of an input image

  friend bool operator==(const Dialect&, const Dialect&) = default;
};

/// keras.applications' definition, with the preprocessing of its ImageNet weights. Throws UsageError for a
/// network that Keras does not have.
Dialect keras_dialect(std::string_view network);

/// torchvision.models' definition, with the preprocessing of its ImageNet weights. Throws UsageError for a
/// network that torchvision does not have.
Dialect torchvision_dialect(std::string_view network);

std::string_view name(Family family);
/// Throws UsageError with the valid names.
Family parse_family(std::string_view text);

/// One line of JSON, for a file's attribute.
std::string to_json(const Dialect& dialect);
/// The inverse. Throws DataError with `subject` (the file) when a field is missing or has no valid value.
Dialect parse_dialect(std::string_view json, const std::string& subject);

/// A line for people: "keras, BN eps 0.001 without gamma, …".
std::string describe(const Dialect& dialect);

}  // namespace xf
