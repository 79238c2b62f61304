#include "weights/recognise.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "weights/layers.h"

namespace xf::weights {
namespace {

/// A layer that only this network has. The deeper of two relatives stands first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kSigns{{
    {"post_bn", "a ResNet of version 2"},
    {"conv4_block36_3_conv", "resnet152"},
    {"conv4_block23_3_conv", "resnet101"},
    {"conv5_block32_2_conv", "densenet169 or densenet201"},
    {"conv5_block16_2_conv", "densenet121"},
    {"conv5_block3_3_conv", "resnet50"},
    {"res5c_branch2c", "resnet50 under the names of Keras 1"},
    {"layer3.35.conv3", "resnet152"},
    {"layer3.22.conv3", "resnet101"},
    {"layer4.2.conv3", "resnet50"},
    {"layer4.2.conv2", "resnet34"},
    {"layer4.1.conv2", "resnet18"},
    {"Mixed_7c.branch_pool.conv", "inception_v3"},
    {"conv_7b", "inception_resnet_v2"},
    {"block14_sepconv2", "xception"},
    {"conv_pw_13", "mobilenet"},
    {"block_16_project", "mobilenet_v2"},
    {"block5_conv4", "vgg19"},
    {"block5_conv3", "vgg16"},
    {"inception_5b_1x1", "inception_v2"},
    {"top_conv", "efficientnet"},
}};

/// Keras numbers the layers of InceptionV3: only their counts tell. A few may be missing or left over.
bool counts_of_inception_v3(const LegacyFile& file) {
  int convolutions = 0, norms = 0;
  for (const StoredLayer& l : file.layers) {
    const StoredTensor* kernel = l.find(Role::kernel);
    if (kernel != nullptr && l.name.starts_with("conv2d")) ++convolutions;
    if (l.find(Role::mean) != nullptr) ++norms;
  }
  return convolutions >= 85 && convolutions <= 103 && norms >= 85 && norms <= 103;
}

/// The baseline of Zevin et al.: four 5x5 convolutions with bias, then dense layers.
bool is_merged_view(const LegacyFile& file) {
  int convolutions = 0, others = 0;
  for (const StoredLayer& l : file.layers) {
    const StoredTensor* kernel = l.find(Role::kernel);
    const bool fits =
        kernel != nullptr && kernel->dims && kernel->dims->size() == 4 && (*kernel->dims)[0] == 5;
    (fits ? convolutions : others) += 1;
  }
  return convolutions == 4 && others <= 2;
}

}  // namespace

std::optional<std::string> recognise(const LegacyFile& file) {
  std::set<std::string_view> names;
  for (const StoredLayer& l : file.layers) names.insert(l.name);
  for (const auto& [layer, network] : kSigns) {
    if (names.count(layer) != 0) return std::string(network);
  }
  if (counts_of_inception_v3(file)) return "inception_v3";
  if (is_merged_view(file)) return "merged_view";
  return std::nullopt;
}

const StoredLayer* find_top(const LegacyFile& file) {
  const StoredLayer* top = nullptr;
  int dense = 0;
  for (const StoredLayer& l : file.layers) {
    if (l.name == kTop || l.name == "predictions" || l.name == "fc1000") return &l;
    if (l.is_dense()) {
      top = &l;
      ++dense;
    }
  }
  return dense == 1 ? top : nullptr;
}

}  // namespace xf::weights
