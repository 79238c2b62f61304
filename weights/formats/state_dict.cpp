#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "weights/formats/formats.h"

namespace xf::weights {
namespace {

/// A dataset's path as the key it was made of: "layer1.0.conv1.weight".
std::string key_of(const std::string& path) {
  std::string key = path.substr(1);
  std::replace(key.begin(), key.end(), '/', '.');
  return key;
}

struct Key {
  std::string layer, part;
};

Key split(const std::string& key) {
  const size_t dot = key.rfind('.');
  return dot == std::string::npos ? Key{key, {}} : Key{key.substr(0, dot), key.substr(dot + 1)};
}

bool is_skipped(const std::string& key) {
  return key.ends_with(".num_batches_tracked") || key.starts_with("AuxLogits.");
}

}  // namespace

std::optional<Listing> list_state_dict(const hdf5::File& file, const std::vector<std::string>& datasets) {
  const auto is_weight = [](const std::string& path) { return split(key_of(path)).part == "weight"; };
  if (std::none_of(datasets.begin(), datasets.end(), is_weight)) return std::nullopt;
  Listing out{Format::state_dict, {}, {}, true, {}};
  std::map<std::string, size_t> index;
  std::set<std::string> norms;
  for (const std::string& path : datasets) {
    const Key key = split(key_of(path));
    if (key.part == "running_mean" || key.part == "running_var") norms.insert(key.layer);
  }
  for (const std::string& path : datasets) {
    const std::string name = key_of(path);
    if (is_skipped(name)) {
      out.skipped.push_back(name);
      continue;
    }
    const Key key = split(name);
    const auto [at, added] = index.try_emplace(key.layer, out.layers.size());
    if (added) out.layers.push_back({key.layer, {}});
    const LayerKind kind = norms.count(key.layer) != 0 ? LayerKind::batch_norm : LayerKind::convolution;
    out.layers[at->second].tensors.push_back(
        stored_tensor(file, name, path, state_dict_role(key.part, kind)));
  }
  return out;
}

}  // namespace xf::weights
