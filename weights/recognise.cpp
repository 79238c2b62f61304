#include "weights/recognise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "engine/core/error.h"
#include "models/registry.h"
#include "weights/model_tensors.h"

namespace xf::weights {
namespace {

/// A layer that only this network has. The deeper of two relatives stands first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSigns{{
    {"post_bn", "a ResNet of version 2"},
    {"conv5_block32_2_conv", "densenet169 or densenet201"},
    {"conv5_block16_2_conv", "densenet121"},
    {"conv_7b", "inception_resnet_v2"},
    {"block14_sepconv2", "xception"},
    {"conv_pw_13", "mobilenet"},
    {"block_16_project", "mobilenet_v2"},
    {"top_conv", "efficientnet"},
    {"features.denseblock4.denselayer16.conv2", "a densenet"},
    {"features.18.0", "mobilenet_v2"},
}};

/// Less than this much in common is another network.
constexpr double kLeastLikeness = 0.6;

struct Likeness {
  double layers = 0;  ///< likeness() of their names and places
  double sizes = 0;   ///< share of kernels that are as wide as the network's: tells narrow ones apart
  friend bool operator<(const Likeness& a, const Likeness& b) {
    return std::pair(a.layers, a.sizes) < std::pair(b.layers, b.sizes);
  }
};

double equal_kernels(const std::vector<MatchedLayer>& matched, const std::vector<NamedShape>& shapes,
                     bool first) {
  int64_t equal = 0, all = 0;
  for (const MatchedLayer& m : matched) {
    if (m.layer->kind != LayerKind::convolution) continue;
    ++all;
    const StoredTensor* kernel = m.stored == nullptr ? nullptr : m.stored->find(Role::kernel);
    const NamedShape& wanted = shapes[m.layer->parts.front().index];
    const auto dims = first ? outputs_first_dims(wanted, m.layer->kind, Role::kernel)
                            : keras_dims(wanted, m.layer->kind, Role::kernel);
    equal += kernel != nullptr && kernel->dims == dims ? 1 : 0;
  }
  return static_cast<double>(equal) / static_cast<double>(std::max<int64_t>(1, all));
}

/// A network with its usual tensors, to be compared with a file.
struct Candidate {
  const ModelInfo& model;
  std::vector<NamedShape> shapes;
  std::vector<Layer> layers;

  explicit Candidate(std::string_view network)
      : model(find_model(network)),
        shapes(model_tensors(network, family_dialect(model.family, network), 1000)),
        layers(layers_of(shapes)) {}

  [[nodiscard]] std::vector<MatchedLayer> match(const Listing& file, Spelling spelling) const {
    return match_layers(model.name, layers, model.top, file, spelling);
  }
  [[nodiscard]] Likeness compare(const Listing& file, Spelling spelling) const {
    const std::vector<MatchedLayer> matched = match(file, spelling);
    return {likeness(matched, shapes, file), equal_kernels(matched, shapes, outputs_first(file.format))};
  }
};

/// Every network of the registry; made once, for a file is compared with all.
const std::map<std::string_view, Candidate>& candidates() {
  static const std::map<std::string_view, Candidate> kAll = [] {
    std::map<std::string_view, Candidate> all;
    for (const std::string_view network : model_names()) all.emplace(network, Candidate(network));
    return all;
  }();
  return kAll;
}

bool has(const std::vector<MatchedLayer>& matched, std::string_view layer) {
  return std::any_of(matched.begin(), matched.end(),
                     [&](const MatchedLayer& m) { return m.layer->name == layer && m.stored != nullptr; });
}

bool any_has(const std::vector<MatchedLayer>& matched, LayerKind kind, Role role) {
  return std::any_of(matched.begin(), matched.end(), [&](const MatchedLayer& m) {
    return m.layer->kind == kind && m.stored != nullptr && m.stored->find(role) != nullptr;
  });
}

Dialect usual_dialect(std::string_view network, Spelling spelling) {
  if (spelling != Spelling::canonical || network == "merged_view") return keras_dialect(network);
  return network == "inception_v2" ? caffe_dialect(network) : torchvision_dialect(network);
}

/// The merged-view network takes images of two sizes, which its first fully connected layer tells.
void set_merged_view_size(const std::vector<MatchedLayer>& matched, Dialect& dialect) {
  constexpr int64_t kHalfInputs = int64_t{5} * 6 * 64;  // what 140x170 leaves after four blocks
  for (const MatchedLayer& m : matched) {
    const StoredTensor* kernel =
        m.layer->name == "fc1" && m.stored != nullptr ? m.stored->find(Role::kernel) : nullptr;
    if (kernel == nullptr || !kernel->dims || kernel->dims->empty() || kernel->dims->front() != kHalfInputs) {
      continue;
    }
    dialect.height = 140;
    dialect.width = 170;
  }
}

}  // namespace

std::optional<Recognised> recognise(const Listing& file) {
  std::optional<Recognised> best;
  Likeness most{kLeastLikeness, 0};
  for (const auto& [network, candidate] : candidates()) {
    for (const Spelling spelling : spellings(network, file)) {
      const Likeness found = candidate.compare(file, spelling);
      if (!(most < found)) continue;
      most = found;
      best = Recognised{std::string(network), spelling};
    }
  }
  return best;
}

Spelling recognise_spelling(const Listing& file, std::string_view network) {
  const Candidate& candidate = candidates().at(network);
  const std::vector<Spelling> all = spellings(network, file);
  return *std::max_element(all.begin(), all.end(), [&](Spelling a, Spelling b) {
    return candidate.compare(file, a) < candidate.compare(file, b);
  });
}

std::map<const StoredTensor*, std::string> canonical_names(const Listing& file,
                                                           const Recognised& recognised) {
  const Candidate& candidate = candidates().at(recognised.network);
  std::map<const StoredTensor*, std::string> names;
  for (const MatchedLayer& m : candidate.match(file, recognised.spelling)) {
    if (m.stored == nullptr) continue;
    for (const StoredTensor& t : m.stored->tensors) {
      if (t.role == Role::unknown || t.role == Role::factor) continue;
      names[&t] = fmt::format("{}.{}", m.layer->name, state_dict_name(t.role));
    }
  }
  return names;
}

std::optional<std::string> recognise_stranger(const Listing& file) {
  std::set<std::string_view> names;
  for (const StoredLayer& l : file.layers) names.insert(l.name);
  for (const auto& [layer, network] : kSigns) {
    if (names.count(layer) != 0) return std::string(network);
  }
  return std::nullopt;
}

DialectOfTensors dialect_of_tensors(const Listing& file, const Recognised& recognised) {
  const std::string& network = recognised.network;
  const Candidate& candidate = candidates().at(network);
  const std::vector<MatchedLayer> matched = candidate.match(file, recognised.spelling);
  DialectOfTensors out;
  Dialect& d = out.dialect;
  d = usual_dialect(network, recognised.spelling);
  d.preprocess.reset();
  if (keras_names(recognised.spelling) == KerasNames::v0_2) d.bn_eps = 1e-3F;
  if (any_has(matched, LayerKind::batch_norm, Role::mean)) {
    d.bn_gamma = any_has(matched, LayerKind::batch_norm, Role::gamma) ? BnGamma::present : BnGamma::absent;
  }
  d.conv_bias = any_has(matched, LayerKind::convolution, Role::bias) ? ConvBias::present : ConvBias::absent;
  if (network.starts_with("vgg") && !has(matched, "classifier.0")) d.head = Head::pool;
  if (network == "merged_view") set_merged_view_size(matched, d);
  out.stride_unknown = recognised.spelling == Spelling::canonical && has(matched, "layer1.0.conv3");
  for (const MatchedLayer& m : matched) {
    const StoredTensor* kernel =
        m.layer->name == candidate.model.top && m.stored != nullptr ? m.stored->find(Role::kernel) : nullptr;
    if (kernel == nullptr || !kernel->dims || kernel->dims->size() != 2) continue;
    out.top_classes = outputs_first(file.format) ? kernel->dims->front() : kernel->dims->back();
  }
  return out;
}

}  // namespace xf::weights
