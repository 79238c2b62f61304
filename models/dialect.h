#pragma once
// What a weight file fixes besides its numbers: the graph that it was trained on and the images that it was
// shown. Files of one name ("ResNet50") differ in all of this, so it travels in every file written here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/data/preprocess.h"
#include "engine/graph/net.h"

namespace xf {

/// Whose definition of the network. caffe: BN-Inception as Cadene's pretrained-models ported it.
enum class Family : uint8_t { keras, torchvision, caffe };
/// Whether batch normalisation has a trained scale (Keras's InceptionV3 has none: scale=False).
enum class BnGamma : uint8_t { absent, present };
/// Where a ResNet's bottleneck has its stride: "v1" in the first 1x1, "v1.5" in the 3x3.
enum class StridePlacement : uint8_t { first_1x1, middle_3x3 };
enum class ConvBias : uint8_t { absent, present };
/// What stands between a VGG's last map and its classifier: two fully connected layers, or, where a file has
/// the trunk alone, the global average pool. Every other network has one head.
enum class Head : uint8_t { fc, pool };

struct Dialect {
  Family family = Family::torchvision;
  float bn_eps = 1e-5F;
  BnGamma bn_gamma = BnGamma::present;
  CountPadding average_pool = CountPadding::no;      ///< of the padded 3x3 average pools
  PoolRounding pool_rounding = PoolRounding::floor;  ///< of every max and average pool
  StridePlacement stride = StridePlacement::middle_3x3;
  ConvBias conv_bias = ConvBias::absent;
  /// Value range and channel order of the input. Nothing where the file does not say.
  std::optional<Preprocess> preprocess;
  ResizeRule resize = ResizeRule::pil_bilinear;
  int height = 224, width = 224;  ///< of an input image
  int channels = 3;               ///< of an input image: 3, or 1 for grey
  Head head = Head::fc;

  friend bool operator==(const Dialect&, const Dialect&) = default;
};

/// keras.applications' definition, with the preprocessing of its ImageNet weights; of merged_view, that of
/// its authors, who wrote it in Keras. Throws UsageError for a network that Keras does not have.
Dialect keras_dialect(std::string_view network);

/// torchvision.models' definition, with the preprocessing of its ImageNet weights. Throws UsageError for a
/// network that torchvision does not have.
Dialect torchvision_dialect(std::string_view network);

/// Cadene's port of Caffe's BN-Inception (pretrained-models.pytorch, `bninception`), with the preprocessing
/// of its ImageNet weights. Throws UsageError for every network but inception_v2.
Dialect caffe_dialect(std::string_view network);

std::string_view name(Family family);
/// Throws UsageError with the valid names.
Family parse_family(std::string_view text);

/// Whether the network has both heads.
bool has_fc_head(std::string_view network);
/// Throws UsageError with the valid names.
Head parse_head(std::string_view text);

/// One line of JSON, for a file's attribute.
std::string to_json(const Dialect& dialect);
/// The inverse. Throws DataError with `subject` (the file) when a field is missing or has no valid value.
Dialect parse_dialect(std::string_view json, const std::string& subject);

/// The network with what tells its variants apart: "resnet50 v1.5", "vgg16 with pool head", "inception_v3".
std::string full_name(std::string_view network, const Dialect& dialect);

/// A line for people: "resnet50 v1 by keras: BN eps 1.001e-05, conv bias, …, input 224x224x3".
std::string describe(std::string_view network, const Dialect& dialect);

}  // namespace xf
