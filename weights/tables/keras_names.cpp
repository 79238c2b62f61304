#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "weights/tables/keras.h"

namespace xf::weights {
namespace {

constexpr std::array<std::string_view, 7> kNetworks{"inception_v3", "resnet50", "resnet101",  "resnet152",
                                                    "vgg16",        "vgg19",    "merged_view"};

/// "layer3.1.conv2" or "layer3.1.downsample.0" in numbers.
struct Place {
  int stage, block, number;  ///< from 1, 0 and 1; number 0: the projection
  bool norm;
};

std::optional<Place> parse(const std::string& layer) {
  Place p{};
  std::array<char, 16> part{};
  const int found =
      std::sscanf(layer.c_str(), "layer%d.%d.%15[a-z]%d", &p.stage, &p.block, part.data(), &p.number);
  const std::string_view what = part.data();
  if (p.block < 0 || p.number < 0 || p.number > 3) return std::nullopt;
  p.norm = what == "bn" || layer.ends_with("downsample.1");
  if (found == 3 && what == "downsample") return p;
  if (found == 4 && (what == "conv" || what == "bn")) return p;
  return std::nullopt;
}

std::string resnet_name(const std::string& layer) {
  if (layer == "fc") return "predictions";
  if (layer == "conv1") return "conv1_conv";
  if (layer == "bn1") return "conv1_bn";
  const auto p = parse(layer);
  if (!p) return {};
  return fmt::format("conv{}_block{}_{}_{}", p->stage + 1, p->block + 1, p->number, p->norm ? "bn" : "conv");
}

std::string resnet50_v0_2_name(const std::string& layer) {
  if (layer == "fc") return "fc1000";
  if (layer == "conv1") return "conv1";
  if (layer == "bn1") return "bn_conv1";
  const auto p = parse(layer);
  if (!p || p->block > 5) return {};
  const std::string branch = p->number == 0 ? "branch1" : fmt::format("branch2{}", "abc"[p->number - 1]);
  return fmt::format("{}{}{}_{}", p->norm ? "bn" : "res", p->stage + 1, "abcdef"[p->block], branch);
}

/// "features.28" is the 29th of a list in which a convolution takes two places (its ReLU) and a pool one.
std::string vgg_name(std::string_view network, const std::string& layer) {
  if (layer == "classifier.0") return "fc1";
  if (layer == "classifier.3") return "fc2";
  if (layer == "classifier.6") return "predictions";
  const std::array<int, 5> depths =
      network == "vgg16" ? std::array{2, 2, 3, 3, 3} : std::array{2, 2, 4, 4, 4};
  int index = 0;
  for (int block = 1; block <= 5; ++block, ++index) {
    for (int i = 1; i <= depths[static_cast<size_t>(block - 1)]; ++i, index += 2) {
      if (layer == fmt::format("features.{}", index)) return fmt::format("block{}_conv{}", block, i);
    }
  }
  return {};
}

}  // namespace

bool keras_has(std::string_view network) {
  return std::find(kNetworks.begin(), kNetworks.end(), network) != kNetworks.end();
}

std::string keras_layer_name(std::string_view network, std::string_view layer, KerasNames names) {
  if (!keras_has(network)) return {};
  const std::string text(layer);
  if (network.starts_with("vgg")) return vgg_name(network, text);
  if (!network.starts_with("resnet")) return {};
  if (names == KerasNames::current) return resnet_name(text);
  return network == "resnet50" ? resnet50_v0_2_name(text) : std::string();
}

}  // namespace xf::weights
