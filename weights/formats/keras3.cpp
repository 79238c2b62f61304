#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "weights/formats/formats.h"

namespace xf::weights {
namespace {

/// A layer's group and its variables by index.
struct Variables {
  std::string group;
  std::map<int, std::string> datasets;
};

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Whether a group is called after its layer's class and a number.
bool is_class_name(std::string_view name) {
  for (const std::string_view base : {"conv2d", "dense", "batch_normalization"}) {
    if (!name.starts_with(base)) continue;
    const std::string_view rest = name.substr(base.size());
    const bool digits = std::all_of(rest.begin() + (rest.empty() ? 0 : 1), rest.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
    if (rest.empty() || (rest.size() > 1 && rest.front() == '_' && digits)) return true;
  }
  return false;
}

Role role_of(int index, int count, bool norm) {
  if (!norm) return index == 0 ? Role::kernel : index == 1 ? Role::bias : Role::unknown;
  constexpr Role kRoles[] = {Role::gamma, Role::beta, Role::mean, Role::variance};
  const int skipped = count == 3 ? 1 : 0;  // scale=False
  return index + skipped < 4 && count >= 3 ? kRoles[index + skipped] : Role::unknown;
}

StoredLayer make_layer(const hdf5::File& file, const Variables& variables, std::string name) {
  StoredLayer layer{std::move(name), {}};
  const auto& first = *variables.datasets.begin();
  const bool norm = last_part(variables.group).starts_with("batch_normalization") ||
                    (first.first == 0 && file.dims(first.second).size() < 2);
  const int count = variables.datasets.rbegin()->first + 1;
  for (const auto& [index, dataset] : variables.datasets) {
    layer.tensors.push_back(stored_tensor(file, dataset.substr(1), dataset, role_of(index, count, norm)));
  }
  return layer;
}

}  // namespace

std::optional<Listing> list_keras3(const hdf5::File& file) {
  std::vector<Variables> found;
  Listing out{Format::keras3, "3", {}, false, {}};
  bool is_this = false;
  for (const char* root : {"/layers", "/_layer_checkpoint_dependencies"}) {
    if (!file.exists(root) || file.is_dataset(root)) continue;
    for (const std::string& path : file.datasets(root)) {
      const auto parsed = split_index(path, "/vars/");  // "/layers/conv2d_3", 0
      if (!parsed) continue;
      is_this = true;
      if (last_part(parsed->first) == "seed_generator") {  // a dropout's
        out.skipped.push_back(path.substr(1));
        continue;
      }
      if (found.empty() || found.back().group != parsed->first) found.push_back({parsed->first, {}});
      found.back().datasets[parsed->second] = path;
    }
  }
  if (!is_this) return std::nullopt;
  for (const Variables& v : found) {
    const std::string given = file.text(v.group + "/vars", "name").value_or("");
    const std::string group = last_part(v.group);
    if (!given.empty() || !is_class_name(group)) out.named = true;
    out.layers.push_back(make_layer(file, v, given.empty() ? group : given));
  }
  return out;
}

}  // namespace xf::weights
