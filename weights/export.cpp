#include "weights/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/core/threads.h"
#include "engine/io/hdf5.h"
#include "weights/layers.h"
#include "weights/md5.h"
#include "weights/tables/keras.h"

namespace xf::weights {
namespace {

/// Kernels are copied into Keras's order; vectors have it already.
struct Stored {
  std::string layer, name;  ///< "conv2d_3", "conv2d_3/kernel:0"
  const Tensor* tensor;
  std::vector<int64_t> dims;
  Role role;
  std::string checksum;
};

std::vector<float> keras_values(const Stored& s) {
  std::vector<float> values(static_cast<size_t>(s.tensor->shape().count()));
  const std::span<const float> ours = s.tensor->as<float>();
  if (s.role == Role::kernel)
    to_keras_order(ours, s.tensor->shape(), values);
  else
    std::copy(ours.begin(), ours.end(), values.begin());
  return values;
}

std::vector<KerasLayer> file_order(const RunInfo& info, const std::vector<Layer>& layers) {
  if (info.dialect.family == Family::keras) return keras_order(info.network, layers);
  std::vector<KerasLayer> order;
  order.reserve(layers.size());
  for (const Layer& l : layers) order.push_back({&l, l.name});
  return order;
}

std::vector<Stored> to_be_stored(const std::vector<KerasLayer>& order, std::span<const NamedTensor> tensors,
                                 std::span<const NamedShape> shapes) {
  std::vector<Stored> out;
  for (const KerasLayer& l : order) {
    for (const Part& part : l.layer->parts) {
      const std::string name = fmt::format("{}/{}:0", l.name, keras_name(part.role));
      out.push_back({l.name,
                     name,
                     tensors[part.index].tensor,
                     keras_dims(shapes[part.index], l.layer->kind, part.role),
                     part.role,
                     {}});
    }
  }
  return out;
}

/// Differs when a weight, its place, the dialect or the classes differ.
std::string model_id(const RunInfo& info, const std::vector<Stored>& stored) {
  std::string all = info.network + to_json(info.dialect);
  for (const std::string& c : info.classes) all += '\n' + c;
  for (const Stored& s : stored) all += '\n' + s.name + ' ' + s.checksum;
  return fmt::format("{}-{}", info.network, md5(std::as_bytes(std::span(all))).substr(0, 12));
}

}  // namespace

std::string save(const std::filesystem::path& path, const RunInfo& info,
                 std::span<const NamedTensor> tensors) {
  std::vector<NamedShape> shapes;
  for (const NamedTensor& t : tensors) shapes.push_back({t.name, t.tensor->shape()});
  const std::vector<Layer> layers = layers_of(shapes);
  const std::vector<KerasLayer> order = file_order(info, layers);
  std::vector<Stored> stored = to_be_stored(order, tensors, shapes);
  parallel_for(static_cast<int64_t>(stored.size()), [&](int64_t i) {
    Stored& s = stored[static_cast<size_t>(i)];
    s.checksum = md5(std::as_bytes(std::span<const float>(keras_values(s))));
  });

  RunInfo written = info;
  written.model_id = model_id(info, stored);
  hdf5::Writer file(path);
  std::vector<std::string> names;
  names.reserve(order.size());
  for (const KerasLayer& l : order) names.push_back(l.name);
  file.attribute("/", "layer_names", names);
  file.attribute("/", "backend", std::string_view("tensorflow"));
  file.attribute("/", "keras_version", std::string_view("2.2.4"));  // whose layout this is
  write_run_info(file, written);
  for (size_t i = 0; i < stored.size();) {
    const std::string layer = stored[i].layer, group = "/" + layer;
    file.group(group);
    std::vector<std::string> weights;
    for (; i < stored.size() && stored[i].layer == layer; ++i) {
      const Stored& s = stored[i];
      const std::string dataset = group + "/" + s.name;
      file.dataset<float>(dataset, s.dims, keras_values(s));
      file.attribute(dataset, kChecksum, std::string_view(s.checksum));
      weights.push_back(s.name);
    }
    file.attribute(group, "weight_names", weights);
  }
  file.commit();
  return written.model_id;
}

}  // namespace xf::weights
