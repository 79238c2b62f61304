#include "weights/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "weights/recognise.h"
#include "weights/tables/keras.h"

namespace xf::weights {
namespace {

/// A layer that Keras named after its class and a running number: conv2d, conv2d_1, …
struct Numbered {
  int number;
  const StoredLayer* stored;
};

std::vector<Numbered> numbered_layers(const LegacyFile& file, std::string_view base) {
  std::vector<Numbered> found;
  for (const StoredLayer& l : file.layers) {
    std::string_view rest = l.name;
    if (!rest.starts_with(base)) continue;
    rest.remove_prefix(base.size());
    int number = 0;
    if (!rest.empty()) {
      const char* end = rest.data() + rest.size();
      if (rest.front() != '_' || std::from_chars(rest.data() + 1, end, number).ptr != end) continue;
    }
    found.push_back({number, &l});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return found;
}

/// Pairs the layers of one kind with the file's by number.
void match_by_number(std::vector<MatchedLayer>& matched, LayerKind kind, std::string_view base,
                     const LegacyFile& file) {
  std::vector<MatchedLayer*> ours;
  for (MatchedLayer& m : matched) {
    if (m.layer->kind == kind) ours.push_back(&m);
  }
  const std::vector<Numbered> theirs = numbered_layers(file, base);
  if (theirs.empty()) return;
  const bool complete = theirs.size() == ours.size();
  for (size_t rank = 0; rank < theirs.size(); ++rank) {
    const size_t place = complete ? rank : static_cast<size_t>(theirs[rank].number - theirs[0].number);
    if (place < ours.size()) ours[place]->stored = theirs[rank].stored;
  }
  for (size_t place = 0; place < ours.size(); ++place) {
    const int number = theirs[0].number + static_cast<int>(place);
    ours[place]->expected = number == 0 ? std::string(base) : fmt::format("{}_{}", base, number);
  }
}

}  // namespace

std::vector<MatchedLayer> match_layers(std::string_view network, const std::vector<Layer>& layers,
                                       const LegacyFile& file) {
  std::map<std::string_view, const StoredLayer*> by_name;
  for (const StoredLayer& l : file.layers) by_name[l.name] = &l;
  const bool canonical = std::any_of(layers.begin(), layers.end(), [&](const Layer& l) {
    return l.kind != LayerKind::dense && by_name.count(l.name) != 0;
  });

  std::vector<MatchedLayer> matched;
  for (const Layer& l : layers) {
    const std::string name = canonical ? l.name : keras_layer_name(network, l.name);
    const auto at = by_name.find(name);
    matched.push_back({&l, at == by_name.end() ? nullptr : at->second, name});
  }
  if (!canonical && network == "inception_v3") {
    match_by_number(matched, LayerKind::convolution, "conv2d", file);
    match_by_number(matched, LayerKind::batch_norm, "batch_normalization", file);
  }
  for (MatchedLayer& m : matched) {
    if (m.layer->name != kTop || m.stored != nullptr) continue;
    m.stored = find_top(file);
    if (m.stored != nullptr) m.expected = m.stored->name;
  }
  for (MatchedLayer& m : matched) {
    if (m.stored != nullptr) m.expected = m.stored->name;
    if (m.expected.empty()) m.expected = m.layer->name;
  }
  return matched;
}

}  // namespace xf::weights
