#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include "weights/formats/formats.h"

namespace xf::weights {
namespace {

/// A layer's blobs by index: path in the file.
using Blobs = std::map<int, std::string>;

/// "/data/conv1/7x7_s2/0" as layer and index; nothing for another path and for the gradients beside them.
std::optional<std::pair<std::string, int>> parse(std::string_view path) {
  path.remove_prefix(1);
  if (path.starts_with("diff/")) return std::nullopt;
  if (path.starts_with("data/")) path.remove_prefix(5);
  return split_index(path, "/");
}

void replace(std::string& text, std::string_view old, std::string_view by) {
  const size_t at = text.find(old);
  if (at != std::string::npos) text.replace(at, old.size(), by);
}

/// Cadene's name of one of Caffe's layers.
std::string cadenes_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  replace(name, "double3x3a", "double_3x3_1");
  replace(name, "double3x3b", "double_3x3_2");
  replace(name, "double3x3_reduce", "double_3x3_reduce");
  return name;
}

/// The BatchNorm that a Scale layer of this name belongs to; empty for another name.
std::string scaled_layer(const std::string& name) {
  for (const std::string_view suffix : {"_sc", "_scale"}) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return {};
}

enum class Kind { weights, batch_norm, scale };

Kind kind_of(const std::vector<StoredTensor>& blobs) {
  const auto elements = [](const StoredTensor& t) {
    return std::accumulate(t.dims->begin(), t.dims->end(), int64_t{1}, std::multiplies<>());
  };
  if (blobs.size() == 3 && elements(blobs[2]) == 1) return Kind::batch_norm;
  return blobs[0].dims->size() < 2 ? Kind::scale : Kind::weights;
}

Role role_of(Kind kind, int index) {
  constexpr Role kRoles[3][3] = {{Role::kernel, Role::bias, Role::unknown},
                                 {Role::mean, Role::variance, Role::factor},
                                 {Role::gamma, Role::beta, Role::unknown}};
  return index < 3 ? kRoles[static_cast<size_t>(kind)][index] : Role::unknown;
}

}  // namespace

std::optional<Listing> list_caffe(const hdf5::File& file, const std::vector<std::string>& datasets) {
  std::vector<std::pair<std::string, Blobs>> found;
  for (const std::string& path : datasets) {
    const auto parsed = parse(path);
    if (!parsed) continue;
    if (found.empty() || found.back().first != parsed->first) found.push_back({parsed->first, {}});
    found.back().second[parsed->second] = path;
  }
  if (found.empty()) return std::nullopt;
  Listing out{Format::caffe, {}, {}, true, {}};
  std::map<std::string, size_t> index;
  std::vector<StoredLayer> scales;
  for (const auto& [layer, blobs] : found) {
    StoredLayer made{cadenes_name(layer), {}};
    for (const auto& [i, path] : blobs) {
      made.tensors.push_back(stored_tensor(file, path.substr(1), path, Role::unknown));
    }
    const Kind kind = kind_of(made.tensors);
    auto tensor = made.tensors.begin();
    for (const auto& [i, path] : blobs) (tensor++)->role = role_of(kind, i);
    if (kind == Kind::scale) {
      scales.push_back(std::move(made));
      continue;
    }
    index[made.name] = out.layers.size();
    out.layers.push_back(std::move(made));
  }
  for (StoredLayer& scale : scales) {
    const auto norm = index.find(scaled_layer(scale.name));
    if (norm == index.end()) {
      out.layers.push_back(std::move(scale));
      continue;
    }
    std::vector<StoredTensor>& tensors = out.layers[norm->second].tensors;
    std::move(scale.tensors.begin(), scale.tensors.end(), std::back_inserter(tensors));
  }
  return out;
}

}  // namespace xf::weights
