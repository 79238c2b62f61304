#include "weights/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>

#include "engine/core/error.h"

namespace xf::weights {
namespace {

/// A layer that Keras named after its class and a running number: conv2d, conv2d_1, …
struct Numbered {
  int number;
  const StoredLayer* stored;
};

std::optional<int> number_after(std::string_view name, std::string_view base) {
  if (!name.starts_with(base)) return std::nullopt;
  name.remove_prefix(base.size());
  if (name.empty()) return 0;
  int number = 0;
  const char* end = name.data() + name.size();
  if (name.front() != '_' || std::from_chars(name.data() + 1, end, number).ptr != end) return std::nullopt;
  return number;
}

std::vector<Numbered> numbered_layers(const Listing& file, LayerKind kind) {
  static const std::map<LayerKind, std::vector<std::string_view>> kBases{
      {LayerKind::convolution, {"conv2d", "convolution2d"}},
      {LayerKind::batch_norm, {"batch_normalization", "batchnormalization"}},
      {LayerKind::dense, {"dense"}}};
  std::vector<Numbered> found;
  for (const StoredLayer& l : file.layers) {
    for (const std::string_view base : kBases.at(kind)) {
      if (const auto number = number_after(l.name, base)) found.push_back({*number, &l});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return found;
}

std::string_view base_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::convolution: return "conv2d";
    case LayerKind::batch_norm: return "batch_normalization";
    case LayerKind::dense: return "dense";
  }
  throw InternalError("a layer's kind", "is none");
}

/// Pairs the layers of one kind with the file's by number. `ours` are in the order of the numbers.
void match_by_number(const std::vector<MatchedLayer*>& ours, LayerKind kind, const Listing& file) {
  const std::vector<Numbered> theirs = numbered_layers(file, kind);
  if (theirs.empty()) return;
  const bool complete = theirs.size() == ours.size();
  for (size_t rank = 0; rank < theirs.size(); ++rank) {
    const int64_t place =
        complete ? static_cast<int64_t>(rank) : int64_t{theirs[rank].number} - theirs[0].number;
    if (place < static_cast<int64_t>(ours.size()))
      ours[static_cast<size_t>(place)]->stored = theirs[rank].stored;
  }
  const std::string_view base = base_of(kind);
  for (size_t place = 0; place < ours.size(); ++place) {
    const int64_t number = theirs[0].number + static_cast<int64_t>(place);
    ours[place]->expected = number == 0 ? std::string(base) : fmt::format("{}_{}", base, number);
  }
}

/// The order in which a file numbers the model's layers.
std::vector<const Layer*> numbering(std::string_view network, const std::vector<Layer>& layers,
                                    Spelling spelling) {
  std::vector<const Layer*> order;
  if (spelling == Spelling::numbered) {
    for (const Layer& l : layers) order.push_back(&l);
  } else {
    for (const KerasLayer& l : keras_order(network, layers, keras_names(spelling))) order.push_back(l.layer);
  }
  return order;
}

void match_by_number(std::string_view network, const std::vector<Layer>& layers, std::string_view top,
                     const Listing& file, Spelling spelling, std::vector<MatchedLayer>& matched) {
  const bool without_top =
      std::none_of(layers.begin(), layers.end(), [&](const Layer& l) { return l.name == top; });
  for (const LayerKind kind : {LayerKind::convolution, LayerKind::batch_norm, LayerKind::dense}) {
    std::vector<MatchedLayer*> ours;
    for (const Layer* l : numbering(network, layers, spelling)) {
      if (l->kind == kind) ours.push_back(&matched[static_cast<size_t>(l - layers.data())]);
    }
    // Another number of fully connected layers than the network's, its top counted or not, is a new head; but
    // for the merged-view network, whose trunk has one.
    const size_t found = numbered_layers(file, kind).size();
    const bool own = found == ours.size() || (without_top && found == ours.size() + 1);
    if (kind == LayerKind::dense && network != "merged_view" && !own) continue;
    match_by_number(ours, kind, file);
  }
}

std::string name_in_file(std::string_view network, const Layer& layer, Spelling spelling) {
  return spelling == Spelling::canonical ? layer.name
                                         : keras_layer_name(network, layer.name, keras_names(spelling));
}

/// The only fully connected layer of the file that is none of the model's; nullptr where there are several.
const StoredLayer* free_dense(const Listing& file, const std::vector<MatchedLayer>& matched) {
  std::set<const StoredLayer*> used;
  for (const MatchedLayer& m : matched) used.insert(m.stored);
  const StoredLayer* only = nullptr;
  for (const StoredLayer& l : file.layers) {
    if (used.count(&l) != 0 || !l.is_dense()) continue;
    if (only != nullptr) return nullptr;
    only = &l;
  }
  return only;
}

bool right_extents(const MatchedLayer& m, const std::vector<NamedShape>& shapes, bool outputs_first) {
  if (m.layer->kind != LayerKind::convolution) return true;
  const StoredTensor* kernel = m.stored->find(Role::kernel);
  if (kernel == nullptr || !kernel->dims || kernel->dims->size() != 4) return false;
  const Shape& s = shapes[m.layer->parts.front().index].shape;
  const size_t first = outputs_first ? 2 : 0;
  return (*kernel->dims)[first] == s.h && (*kernel->dims)[first + 1] == s.w;
}

}  // namespace

KerasNames keras_names(Spelling spelling) {
  return spelling == Spelling::keras_v0_2 || spelling == Spelling::by_depth_v0_2 ? KerasNames::v0_2
                                                                                 : KerasNames::current;
}

std::vector<Spelling> spellings(std::string_view network, const Listing& file) {
  std::vector<Spelling> all{Spelling::canonical};
  if (outputs_first(file.format) || !keras_has(network)) return all;
  if (!file.named) {
    if (network == "resnet50") return {Spelling::by_depth, Spelling::by_depth_v0_2};
    return {Spelling::by_depth};
  }
  const bool has_names = network.starts_with("resnet") || network.starts_with("vgg");
  all.push_back(has_names ? Spelling::keras : Spelling::numbered);
  if (network == "resnet50") all.push_back(Spelling::keras_v0_2);
  return all;
}

std::vector<MatchedLayer> match_layers(std::string_view network, const std::vector<Layer>& layers,
                                       std::string_view top, const Listing& file, Spelling spelling) {
  std::map<std::string_view, const StoredLayer*> by_name;
  for (const StoredLayer& l : file.layers) by_name[l.name] = &l;
  std::vector<MatchedLayer> matched;
  for (const Layer& l : layers) {
    const std::string name = name_in_file(network, l, spelling);
    const auto at = by_name.find(name);
    matched.push_back({&l, at == by_name.end() ? nullptr : at->second, name});
  }
  if (spelling == Spelling::numbered || spelling == Spelling::by_depth ||
      spelling == Spelling::by_depth_v0_2) {
    match_by_number(network, layers, top, file, spelling, matched);
  }
  for (MatchedLayer& m : matched) {
    if (m.layer->name == top && m.stored == nullptr) m.stored = free_dense(file, matched);
    if (m.stored != nullptr) m.expected = m.stored->name;
    if (m.expected.empty()) m.expected = m.layer->name;
  }
  return matched;
}

double likeness(const std::vector<MatchedLayer>& matched, const std::vector<NamedShape>& shapes,
                const Listing& file) {
  std::set<const StoredLayer*> used;
  int64_t right = 0, all = 0;
  for (const MatchedLayer& m : matched) {
    if (m.stored == nullptr) {
      all += m.layer->kind == LayerKind::dense ? 0 : 1;
      continue;
    }
    ++all;
    used.insert(m.stored);
    right += right_extents(m, shapes, outputs_first(file.format)) ? 1 : 0;
  }
  for (const StoredLayer& l : file.layers) all += used.count(&l) == 0 && !l.is_dense() ? 1 : 0;
  return all == 0 ? 0 : static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace xf::weights
