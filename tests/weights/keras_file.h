#pragma once
// A legacy Keras file as a list that a test can damage before it is written.

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "tests/weights/inception_v3_tensors.h"

namespace xf::test {

struct KerasTensor {
  std::string name;  ///< within the layer's group
  std::vector<int64_t> dims;
  std::vector<float> values;
};

struct KerasFile {
  std::vector<std::string> layer_names;
  std::map<std::string, std::vector<KerasTensor>> layers;
  /// Listed in weight_names and not written.
  std::string left_out;

  void write(const std::filesystem::path& path, const std::string& root = "") const {
    hdf5::Writer w(path);
    if (!root.empty()) w.group(root);
    w.attribute(root.empty() ? "/" : root, "layer_names", layer_names);
    for (const std::string& layer : layer_names) {
      const std::string group = fmt::format("{}/{}", root, layer);
      w.group(group);
      std::vector<std::string> names;
      for (const KerasTensor& t : layers.at(layer)) {
        names.push_back(t.name);
        if (t.name != left_out) w.dataset<float>(group + "/" + t.name, t.dims, t.values);
      }
      w.attribute(group, "weight_names", names);
    }
    w.commit();
  }
};

/// A value that tells tensors and positions apart and is exact in f32.
inline float numbered_value(size_t tensor, size_t index) {
  return static_cast<float>((tensor * 8191 + index * 127) % 65521) / 64;
}

struct KerasNaming {
  int first = 1;              ///< number of the first layer of a kind
  std::string suffix = ":0";  ///< of weight names
};

/// A narrow InceptionV3. Tensor k of its creation order holds numbered_value(k, …) in Keras's order of
/// elements.
inline KerasFile narrow_inception_v3(int64_t narrow, int64_t classes, const KerasNaming& naming = {}) {
  KerasFile file;
  size_t tensor = 0;
  const auto make = [&](const std::string& name, std::vector<int64_t> dims) {
    KerasTensor t{name + naming.suffix, std::move(dims), {}};
    int64_t count = 1;
    for (const int64_t d : t.dims) count *= d;
    for (int64_t i = 0; i < count; ++i) t.values.push_back(numbered_value(tensor, static_cast<size_t>(i)));
    ++tensor;
    return t;
  };
  const auto numbered = [](const char* base, int n) {
    return n == 0 ? std::string(base) : fmt::format("{}_{}", base, n);
  };
  int k = naming.first;
  for (const Unit& u : inception_v3_units(narrow)) {
    const std::string conv = numbered("conv2d", k), bn = numbered("batch_normalization", k);
    const std::string act = numbered("activation", k);
    ++k;
    file.layer_names.insert(file.layer_names.end(), {conv, bn, act});
    file.layers[conv] = {make(conv + "/kernel", {u.rows, u.columns, u.in, u.out})};
    file.layers[act] = {};
    for (const char* part : {"beta", "moving_mean", "moving_variance"}) {
      file.layers[bn].push_back(make(fmt::format("{}/{}", bn, part), {u.out}));
    }
  }
  if (classes > 0) {
    file.layer_names.emplace_back("predictions");
    file.layers["predictions"] = {make("predictions/kernel", {2048 / narrow, classes}),
                                  make("predictions/bias", {classes})};
  }
  return file;
}

}  // namespace xf::test
