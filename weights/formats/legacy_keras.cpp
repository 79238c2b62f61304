#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "weights/formats/formats.h"

namespace xf::weights {
namespace {

/// What Keras, in all its generations, calls a role: "conv1/kernel:0", "bn_conv1_running_std:0",
/// "block1_conv1_W_1:0". (`running_std` holds the variance.)
Role role_of(std::string_view name) {
  name = name.substr(name.rfind('/') + 1);
  name = name.substr(0, name.find(':'));
  const auto has = [&](std::string_view word) {
    const size_t at = name.rfind(word);
    if (at == std::string_view::npos) return false;
    const size_t end = at + word.size();
    return (at == 0 || name[at - 1] == '_') && (end == name.size() || name[end] == '_');
  };
  if (has("moving_mean") || has("running_mean")) return Role::mean;
  if (has("moving_variance") || has("running_std") || has("running_var")) return Role::variance;
  if (has("gamma")) return Role::gamma;
  if (has("beta")) return Role::beta;
  if (has("kernel") || has("W")) return Role::kernel;
  if (has("bias") || has("b")) return Role::bias;
  return Role::unknown;
}

/// The layer that a weight name itself mentions: "conv2d_4" of "inception_v3/conv2d_4/kernel:0".
std::string mentioned_layer(const std::string& weight) {
  const size_t last = weight.rfind('/');
  if (last == std::string::npos) return {};
  const size_t before = last == 0 ? std::string::npos : weight.rfind('/', last - 1);
  const size_t start = before == std::string::npos ? 0 : before + 1;
  return weight.substr(start, last - start);
}

/// Where the layers' groups are; nothing in a file of another format.
std::optional<std::string> find_root(const hdf5::File& file) {
  if (file.has_attribute("/", "layer_names")) return "/";
  if (file.exists("/model_weights") && file.has_attribute("/model_weights", "layer_names")) {
    return "/model_weights/";
  }
  return std::nullopt;
}

}  // namespace

std::optional<Listing> list_legacy_keras(const hdf5::File& file) {
  const std::optional<std::string> root = find_root(file);
  if (!root) return std::nullopt;
  Listing out{Format::keras, {}, {}, true, {}};
  out.writer = file.text(*root, "keras_version").value_or("1");  // as Keras reads it
  for (const std::string& layer : file.strings(*root, "layer_names")) {
    const std::string group = *root + layer;
    // A layer that is listed and not there is found missing by whoever needs it.
    if (!file.exists(group) || !file.has_attribute(group, "weight_names")) continue;
    const std::vector<std::string> weights = file.strings(group, "weight_names");
    std::set<std::string> mentioned;
    for (const std::string& w : weights) mentioned.insert(mentioned_layer(w));
    const bool nested = mentioned.size() > 1;
    const size_t first = out.layers.size();
    for (const std::string& w : weights) {
      const std::string owner = nested ? mentioned_layer(w) : layer;
      StoredTensor tensor = stored_tensor(file, w, std::string(group).append("/").append(w), role_of(w));
      if (w.compare(0, owner.size() + 1, owner + "/") != 0) tensor.name.insert(0, layer + "/");
      const auto same = [&](const StoredLayer& l) { return l.name == owner; };
      auto at = std::find_if(out.layers.begin() + static_cast<std::ptrdiff_t>(first), out.layers.end(), same);
      if (at == out.layers.end()) at = out.layers.insert(at, {owner, {}});
      at->tensors.push_back(std::move(tensor));
    }
  }
  return out;
}

}  // namespace xf::weights
