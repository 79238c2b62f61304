#include "weights/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// Kernels are copied into the file's order; vectors have it already.
struct Stored {
  std::string layer, name, dataset;  ///< "conv2d_3", "conv2d_3/kernel:0", "/conv2d_3/conv2d_3/kernel:0"
  const Tensor* tensor;
  std::vector<int64_t> dims;
  Role role;
  std::string checksum;
};

std::vector<float> stored_values(const Stored& s, Target target) {
  std::vector<float> values(static_cast<size_t>(s.tensor->shape().count()));
  const std::span<const float> ours = s.tensor->as<float>();
  if (s.role != Role::kernel)
    std::copy(ours.begin(), ours.end(), values.begin());
  else if (target == Target::torchvision)
    to_outputs_first(ours, s.tensor->shape(), values);
  else
    to_keras_order(ours, s.tensor->shape(), values);
  return values;
}

std::vector<KerasLayer> file_order(const RunInfo& info, const std::vector<Layer>& layers, Target target) {
  const bool keras =
      target == Target::run ? info.dialect.family == Family::keras : target != Target::torchvision;
  if (keras) return keras_order(info.network, layers, keras_names(info.network, info.dialect));
  std::vector<KerasLayer> order;
  order.reserve(layers.size());
  for (const Layer& l : layers) order.push_back({&l, l.name});
  return order;
}

/// Keras 3 calls a layer's group after its class, numbered in the order of model.layers.
class ClassNames {
 public:
  std::string next(LayerKind kind) {
    constexpr std::array<std::string_view, 3> kNames{"conv2d", "dense", "batch_normalization"};
    const auto k = static_cast<size_t>(kind);
    const int number = numbers_[k]++;
    return number == 0 ? std::string(kNames[k]) : fmt::format("{}_{}", kNames[k], number);
  }

 private:
  std::array<int, 3> numbers_{};
};

std::vector<Stored> to_be_stored(const std::vector<KerasLayer>& order, std::span<const NamedTensor> tensors,
                                 std::span<const NamedShape> shapes, Target target) {
  std::vector<Stored> out;
  ClassNames classes;
  for (const KerasLayer& l : order) {
    const std::string group = classes.next(l.layer->kind);
    int index = 0;
    for (const Part& part : l.layer->parts) {
      Stored s{l.name, {}, {}, tensors[part.index].tensor, {}, part.role, {}};
      if (target == Target::torchvision) {
        s.name = fmt::format("{}.{}", l.name, state_dict_name(part.role));
        s.dataset = "/" + s.name;
        s.dims = outputs_first_dims(shapes[part.index], l.layer->kind, part.role);
      } else {
        s.name = fmt::format("{}/{}:0", l.name, keras_name(part.role));
        s.dataset = target == Target::keras3 ? fmt::format("/layers/{}/vars/{}", group, index++)
                                             : fmt::format("/{}/{}", l.name, s.name);
        s.dims = keras_dims(shapes[part.index], l.layer->kind, part.role);
      }
      out.push_back(std::move(s));
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

void write_layer_names(hdf5::Writer& file, const std::vector<KerasLayer>& order) {
  std::vector<std::string> names;
  names.reserve(order.size());
  for (const KerasLayer& l : order) names.push_back(l.name);
  file.attribute("/", "layer_names", names);
  file.attribute("/", "backend", std::string_view("tensorflow"));
  file.attribute("/", "keras_version", std::string_view("2.2.4"));  // whose layout this is
}

/// What the layout says of one layer besides its tensors.
void write_layer(hdf5::Writer& file, std::span<const Stored> tensors, Target target) {
  const Stored& first = tensors.front();
  if (target == Target::torchvision) return;
  if (target == Target::keras3) {
    const std::string vars = first.dataset.substr(0, first.dataset.rfind('/'));
    file.attribute(vars, "name", std::string_view(first.layer));
    return;
  }
  std::vector<std::string> names;
  for (const Stored& s : tensors) names.push_back(s.name);
  file.attribute("/" + first.layer, "weight_names", names);
}

}  // namespace

std::string save(const std::filesystem::path& path, const RunInfo& info, std::span<const NamedTensor> tensors,
                 Target target) {
  std::vector<NamedShape> shapes;
  for (const NamedTensor& t : tensors) shapes.push_back({t.name, t.tensor->shape()});
  const std::vector<Layer> layers = layers_of(shapes);
  const std::vector<KerasLayer> order = file_order(info, layers, target);
  std::vector<Stored> stored = to_be_stored(order, tensors, shapes, target);
  parallel_for(static_cast<int64_t>(stored.size()), [&](int64_t i) {
    Stored& s = stored[static_cast<size_t>(i)];
    s.checksum = md5(std::as_bytes(std::span<const float>(stored_values(s, target))));
  });

  RunInfo written = info;
  written.model_id = model_id(info, stored);
  hdf5::Writer file(path);
  if (target == Target::run || target == Target::keras) write_layer_names(file, order);
  write_run_info(file, written);
  for (size_t i = 0; i < stored.size();) {
    const size_t first = i;
    for (; i < stored.size() && stored[i].layer == stored[first].layer; ++i) {
      const Stored& s = stored[i];
      file.dataset<float>(s.dataset, s.dims, stored_values(s, target));
      file.attribute(s.dataset, kChecksum, std::string_view(s.checksum));
    }
    write_layer(file, std::span(stored).subspan(first, i - first), target);
  }
  file.commit();
  return written.model_id;
}

}  // namespace xf::weights
