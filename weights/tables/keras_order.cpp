#include "weights/tables/keras.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <sstream>
#include <utility>

#include "engine/core/error.h"

namespace xf::weights {
namespace {

/// The convolutions of an Inception block, numbered from 1 in creation order, by depth: a group is what lies
/// equally deep. "+" marks the convolution behind the average pool of a block whose other branches go through
/// one more concatenation: it comes one layer later than its group.
struct DepthOrder {
  int convolutions;
  std::vector<std::string_view> groups;
};

const DepthOrder kStem{5, {"1", "2", "3", "4", "5"}};
const DepthOrder k35x35{7, {"4", "2 5", "1 3 6 7"}};
const DepthOrder k35to17{4, {"2", "3", "1 4"}};
const DepthOrder k17x17{10, {"5", "6", "2 7", "3 8", "1 4 9 10"}};
const DepthOrder k17to8{6, {"3", "4", "1 5", "2 6"}};
const DepthOrder k8x8{9, {"5", "2 6", "3 4 7 8 9+ 1"}};

const std::array<const DepthOrder*, 12> kInceptionV3{&kStem,  &k35x35, &k35x35, &k35x35, &k35to17, &k17x17,
                                                     &k17x17, &k17x17, &k17x17, &k17to8, &k8x8,    &k8x8};

std::string numbered(const char* name, size_t index) {
  return index == 0 ? name : fmt::format("{}_{}", name, index);
}

struct Unit {
  KerasLayer convolution, norm;
  bool late = false;
};

/// A group's convolutions stand before its normalisations, which are one layer deeper.
void append_group(const std::vector<Unit>& group, std::vector<KerasLayer>& order) {
  for (const Unit& u : group) {
    if (!u.late) order.push_back(u.convolution);
  }
  for (const Unit& u : group) order.push_back(u.late ? u.convolution : u.norm);
  for (const Unit& u : group) {
    if (u.late) order.push_back(u.norm);
  }
}

std::vector<KerasLayer> inception_v3_order(const std::vector<Layer>& layers) {
  std::vector<KerasLayer> convolutions, norms, order;
  const Layer* top = nullptr;
  for (const Layer& l : layers) {
    switch (l.kind) {
      case LayerKind::convolution:
        convolutions.push_back({&l, numbered("conv2d", convolutions.size())});
        break;
      case LayerKind::batch_norm: norms.push_back({&l, numbered("batch_normalization", norms.size())}); break;
      case LayerKind::dense: top = &l; break;
    }
  }
  if (convolutions.size() != 94 || norms.size() != 94) {
    throw InternalError("inception_v3", fmt::format("{} convolutions and {} normalisations instead of 94",
                                                    convolutions.size(), norms.size()));
  }
  size_t first = 0;
  for (const DepthOrder* block : kInceptionV3) {
    for (const std::string_view text : block->groups) {
      std::vector<Unit> group;
      std::istringstream words{std::string(text)};
      for (std::string word; words >> word;) {
        const size_t index = first + std::stoul(word) - 1;
        group.push_back({convolutions[index], norms[index], word.back() == '+'});
      }
      append_group(group, order);
    }
    first += static_cast<size_t>(block->convolutions);
  }
  if (top != nullptr) order.push_back({top, "predictions"});
  return order;
}

/// A bottleneck stands as 1, 2, then the projection's convolution (0) before the third, its normalisation
/// too; in v0.2, whose sum has its operands in the other order, behind it.
std::vector<std::string> resnet_order(const std::map<std::string, const Layer*>& layers, KerasNames names) {
  using Parts = std::array<const char*, 8>;
  constexpr Parts kCurrent{"conv1", "bn1", "conv2", "bn2", "downsample.0", "conv3", "downsample.1", "bn3"};
  constexpr Parts kFormer{"conv1", "bn1", "conv2", "bn2", "conv3", "downsample.0", "bn3", "downsample.1"};
  std::vector<std::string> order{"conv1", "bn1"};
  for (int stage = 1; stage <= 4; ++stage) {
    for (int block = 0; layers.count(fmt::format("layer{}.{}.conv1", stage, block)) != 0; ++block) {
      for (const char* part : names == KerasNames::v0_2 ? kFormer : kCurrent) {
        order.push_back(fmt::format("layer{}.{}.{}", stage, block, part));
      }
    }
  }
  order.emplace_back("fc");
  return order;
}

std::vector<KerasLayer> resnet_order(std::string_view network, const std::vector<Layer>& layers,
                                     KerasNames names) {
  std::map<std::string, const Layer*> by_name;
  for (const Layer& l : layers) by_name[l.name] = &l;
  std::vector<KerasLayer> order;
  for (const std::string& name : resnet_order(by_name, names)) {
    const auto at = by_name.find(name);
    if (at != by_name.end()) order.push_back({at->second, keras_layer_name(network, name, names)});
  }
  if (order.size() != layers.size()) {
    throw InternalError(std::string(network), "has layers that Keras's network does not have");
  }
  return order;
}

/// VGG: named. The merged-view network: numbered.
std::vector<KerasLayer> chain_order(std::string_view network, const std::vector<Layer>& layers) {
  std::vector<KerasLayer> order;
  size_t convolutions = 0, denses = 0;
  for (const Layer& l : layers) {
    std::string name = keras_layer_name(network, l.name, KerasNames::current);
    if (name.empty()) {
      const bool dense = l.kind == LayerKind::dense;
      name = numbered(dense ? "dense" : "conv2d", (dense ? denses : convolutions)++);
    }
    order.push_back({&l, std::move(name)});
  }
  return order;
}

}  // namespace

std::vector<KerasLayer> keras_order(std::string_view network, const std::vector<Layer>& layers,
                                    KerasNames names) {
  if (network == "inception_v3") return inception_v3_order(layers);
  if (network.starts_with("resnet") && keras_has(network)) return resnet_order(network, layers, names);
  if (keras_has(network)) return chain_order(network, layers);
  throw InternalError(std::string(network), "is no network of Keras");
}

}  // namespace xf::weights
