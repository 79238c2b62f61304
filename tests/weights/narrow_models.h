#pragma once
// Networks of the registry with a sixteenth of their channels, and their tensors as other programs order
// them.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/weights/keras_file.h"
#include "weights/export.h"
#include "weights/import.h"
#include "weights/model_tensors.h"

namespace xf::test {

inline std::vector<weights::NamedShape> narrow_model(std::string_view network, const Dialect& dialect,
                                                     int classes) {
  const auto narrower = [](int64_t width) { return width > 4 ? std::max<int64_t>(1, width / 16) : width; };
  std::vector<weights::NamedShape> list = weights::model_tensors(network, dialect, classes);
  for (weights::NamedShape& t : list) {
    const bool is_top = t.shape.n == classes || (t.shape.n == 1 && t.shape.c == classes);
    if (!is_top) t.shape.n = narrower(t.shape.n);
    if (t.shape.n > 1 || t.shape.c != classes) t.shape.c = narrower(t.shape.c);
  }
  return list;
}

enum class Order { ohwi, hwio, oihw };

/// Tensor `k` of a model, whose element at position i in the model's order (OHWI) is numbered_value(k, i).
inline std::vector<float> numbered_values(size_t k, const Shape& s, Order order) {
  std::vector<float> out(static_cast<size_t>(s.count()));
  size_t i = 0;
  for (int64_t o = 0; o < s.n; ++o)
    for (int64_t h = 0; h < s.h; ++h)
      for (int64_t w = 0; w < s.w; ++w)
        for (int64_t c = 0; c < s.c; ++c, ++i) {
          int64_t to = static_cast<int64_t>(i);
          if (order == Order::hwio) to = ((h * s.w + w) * s.c + c) * s.n + o;
          if (order == Order::oihw) to = ((o * s.c + c) * s.h + h) * s.w + w;
          out[static_cast<size_t>(to)] = numbered_value(k, i);
        }
  return out;
}

inline void check_numbered(const std::vector<weights::NamedShape>& wanted, const weights::Loaded& loaded) {
  for (size_t k = 0; k < wanted.size(); ++k) {
    const auto at = loaded.tensors.find(wanted[k].name);
    REQUIRE_MESSAGE(at != loaded.tensors.end(), wanted[k].name);
    REQUIRE(at->second.shape() == wanted[k].shape);
    const auto found = at->second.as<float>();
    const auto expected = numbered_values(k, wanted[k].shape, Order::ohwi);
    REQUIRE_MESSAGE(std::equal(found.begin(), found.end(), expected.begin()), wanted[k].name);
  }
}

/// Of a canonical name: the layer, and the part within it.
inline std::string layer_of(const std::string& name) { return name.substr(0, name.rfind('.')); }
inline std::string part_of(const std::string& name) { return name.substr(name.rfind('.') + 1); }

inline bool is_kernel(const weights::NamedShape& t) {
  return part_of(t.name) == "weight" && (t.shape.n > 1 || t.shape.rows() > 1);
}
inline bool is_dense_layer(const std::string& layer) {
  return layer.starts_with("fc") || layer.starts_with("classifier") || layer == "last_linear";
}

/// A state dict as a script with h5py writes it: a dataset for each key.
inline void write_state_dict(const std::filesystem::path& path,
                             const std::vector<weights::NamedShape>& tensors, bool slashes = false) {
  hdf5::Writer w(path);
  for (size_t k = 0; k < tensors.size(); ++k) {
    const Shape& s = tensors[k].shape;
    std::vector<int64_t> dims{s.c};
    if (is_kernel(tensors[k])) dims = {s.n, s.c, s.h, s.w};
    if (is_kernel(tensors[k]) && is_dense_layer(layer_of(tensors[k].name))) dims = {s.n, s.c * s.h * s.w};
    std::string key = tensors[k].name;
    if (slashes) std::replace(key.begin(), key.end(), '.', '/');
    const Order order = is_kernel(tensors[k]) ? Order::oihw : Order::ohwi;
    w.dataset<float>("/" + key, dims, numbered_values(k, s, order));
  }
  w.commit();
}

/// Keras's role of a canonical name's last part.
inline std::string keras_part(const weights::NamedShape& t, bool norm) {
  const std::string part = part_of(t.name);
  if (part == "weight") return norm ? "gamma" : "kernel";
  if (part == "bias") return norm ? "beta" : "bias";
  return part == "running_mean" ? "moving_mean" : "moving_variance";
}

/// A model's layers as Keras stores them, by canonical name: tensors in Keras's order of roles and elements.
inline std::map<std::string, std::vector<KerasTensor>> keras_layers(
    const std::vector<weights::NamedShape>& tensors) {
  std::map<std::string, bool> norm;
  for (const auto& t : tensors)
    if (part_of(t.name) == "running_mean") norm[layer_of(t.name)] = true;
  std::map<std::string, std::vector<KerasTensor>> layers;
  for (size_t k = 0; k < tensors.size(); ++k) {
    const std::string layer = layer_of(tensors[k].name);
    const Shape& s = tensors[k].shape;
    std::vector<int64_t> dims{s.c};
    const bool kernel = is_kernel(tensors[k]) && norm.count(layer) == 0;
    if (kernel) dims = {s.h, s.w, s.c, s.n};
    if (kernel && is_dense_layer(layer)) dims = {s.h * s.w * s.c, s.n};
    layers[layer].push_back({keras_part(tensors[k], norm.count(layer) != 0), dims,
                             numbered_values(k, s, kernel ? Order::hwio : Order::ohwi)});
  }
  const auto rank = [](const KerasTensor& t) {
    const std::vector<std::string> order{"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"};
    return std::find(order.begin(), order.end(), t.name) - order.begin();
  };
  for (auto& [name, list] : layers)
    std::sort(list.begin(), list.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return layers;
}

}  // namespace xf::test
