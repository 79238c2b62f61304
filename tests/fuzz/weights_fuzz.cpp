#include <fmt/format.h>
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "engine/io/hdf5.h"
#include "tests/fuzz/fuzz.h"
#include "tests/weights/inception_v3_tensors.h"
#include "weights/compare.h"
#include "weights/inspect.h"

using namespace xf;

namespace {

using Choice = FuzzedDataProvider;

std::string word(Choice& choose, std::initializer_list<const char*> usual) {
  if (choose.ConsumeIntegralInRange(0, 9) == 0) {
    std::string odd = choose.ConsumeRandomLengthString(12);
    std::erase_if(odd, [](char c) { return c == '\0' || c == '/' || c == '.'; });  // HDF5 could not name it
    if (!odd.empty()) return odd;
  }
  return *(usual.begin() + choose.ConsumeIntegralInRange<size_t>(0, usual.size() - 1));
}

std::string layer_name(Choice& choose) {
  return word(choose,
              {"conv2d", "conv2d_1", "conv2d_94", "convolution2d_1", "batch_normalization",
               "batch_normalization_1", "activation_1", "predictions", "dense_1", "fc1000", "block1_conv1",
               "res2a_branch2a", "bn_conv1", "conv1", "layer1.0.conv1", "layer4.1.bn2", "fc", "bn1"});
}

void add_tensor(hdf5::Writer& file, Choice& choose, const std::string& path) {
  std::vector<int64_t> dims(choose.ConsumeIntegralInRange<size_t>(0, 4));
  for (int64_t& d : dims) d = choose.ConsumeIntegralInRange<int64_t>(0, 5);
  const auto count =
      static_cast<size_t>(std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()));
  switch (choose.ConsumeIntegralInRange(0, 9)) {
    case 0: file.dataset(path, std::vector<std::string>(2, "text")); break;
    case 1: file.group(path); break;
    case 2: file.dataset<int32_t>(path, dims, std::vector<int32_t>(count, 1)); break;
    case 3:
      file.dataset<double>(path, dims, std::vector<double>(count, choose.ConsumeFloatingPoint<double>()));
      break;
    default: file.dataset<float>(path, dims, std::vector<float>(count, choose.ConsumeFloatingPoint<float>()));
  }
}

void add_layer(hdf5::Writer& file, Choice& choose, const std::string& root, const std::string& layer) {
  const std::string group = root + "/" + layer;
  file.group(group);
  std::vector<std::string> names;
  const auto count = choose.ConsumeIntegralInRange(0, 5);
  for (int i = 0; i < count; ++i) {
    const std::string tensor =
        word(choose, {"kernel:0", "bias:0", "gamma:0", "beta:0", "moving_mean:0", "moving_variance:0",
                      "kernel", "W", "b", "running_std", "running_mean"});
    const std::string name = choose.ConsumeBool() ? fmt::format("{}/{}", layer, tensor) : tensor;
    const bool twice = std::find(names.begin(), names.end(), name) != names.end();
    names.push_back(name);
    if (!twice && choose.ConsumeIntegralInRange(0, 9) != 0)
      add_tensor(file, choose, fmt::format("{}/{}", group, name));
  }
  if (choose.ConsumeIntegralInRange(0, 9) != 0) file.attribute(group, "weight_names", names);
}

void add_attributes(hdf5::Writer& file, Choice& choose) {
  const auto maybe = [&](const char* name, std::initializer_list<const char*> usual) {
    if (choose.ConsumeBool()) file.attribute("/", name, std::string_view(word(choose, usual)));
  };
  maybe("keras_version", {"1.2.2", "2.1.6", "3.0.0"});
  maybe("network", {"inception_v3", "resnet18", "resnet18_narrow", "vgg16"});
  maybe("dialect", {"{}", R"({"family":"keras"})", "[1]", R"({"family":"keras","bn_eps":"x"})"});
  maybe("model_id", {"abc"});
  maybe("classes", {"Blip"});
}

void add_legacy_keras(hdf5::Writer& file, Choice& choose) {
  const std::string root = choose.ConsumeIntegralInRange(0, 4) == 0 ? "/model_weights" : "";
  if (!root.empty()) file.group(root);
  std::vector<std::string> layers;
  const auto count = choose.ConsumeIntegralInRange(0, 8);
  for (int i = 0; i < count; ++i) {
    const std::string layer = layer_name(choose);
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) add_layer(file, choose, root, layer);
    layers.push_back(layer);
  }
  if (choose.ConsumeIntegralInRange(0, 9) != 0)
    file.attribute(root.empty() ? "/" : root, "layer_names", layers);
}

void add_keras3(hdf5::Writer& file, Choice& choose) {
  const auto count = choose.ConsumeIntegralInRange(0, 8);
  for (int i = 0; i < count; ++i) {
    std::string vars =
        fmt::format("/{}/{}", word(choose, {"layers", "_layer_checkpoint_dependencies"}), layer_name(choose));
    if (choose.ConsumeIntegralInRange(0, 9) == 0) vars += "/layers/conv2d";
    vars += "/vars";
    file.group(vars);
    const auto tensors = choose.ConsumeIntegralInRange(0, 5);
    for (int t = 0; t < tensors; ++t) add_tensor(file, choose, fmt::format("{}/{}{}", vars, i, t));
    if (choose.ConsumeBool()) file.attribute(vars, "name", std::string_view(layer_name(choose)));
  }
}

void add_state_dict(hdf5::Writer& file, Choice& choose) {
  const auto count = choose.ConsumeIntegralInRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const std::string layer =
        word(choose, {"conv1", "bn1", "layer1.0.conv1", "layer1/0/bn1", "features.28", "fc", "classifier.0",
                      "AuxLogits.fc", "inception_3a_1x1", "last_linear"});
    const std::string part =
        word(choose, {"weight", "bias", "running_mean", "running_var", "num_batches_tracked", "0"});
    add_tensor(file, choose, fmt::format("/{}{}{}", layer, choose.ConsumeBool() ? "." : "/", part));
  }
}

void add_caffe(hdf5::Writer& file, Choice& choose) {
  const auto count = choose.ConsumeIntegralInRange(0, 12);
  for (int i = 0; i < count; ++i) {
    const std::string layer =
        word(choose, {"conv1/7x7_s2", "conv1/7x7_s2/bn", "conv1/7x7_s2/bn/sc", "inception_3a/double3x3a",
                      "inception_3a/double3x3a/bn", "loss3/classifier", "bn_scale", "bn"});
    add_tensor(file, choose,
               fmt::format("{}/{}/{}", word(choose, {"", "/data", "/diff"}), layer,
                           word(choose, {"0", "1", "2", "3", "99999999999"})));
  }
}

std::filesystem::path write_file(Choice& choose) {
  std::filesystem::path path = fuzz::file_of("weights.h5", {});
  hdf5::Writer file(path);
  switch (choose.ConsumeIntegralInRange(0, 3)) {
    case 0: add_keras3(file, choose); break;
    case 1: add_state_dict(file, choose); break;
    case 2: add_caffe(file, choose); break;
    default: add_legacy_keras(file, choose);
  }
  add_attributes(file, choose);
  file.commit();
  return path;
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  static const std::vector<weights::NamedShape> kWanted = test::inception_v3_tensors(32, 3);
  Choice choose(input.data(), input.size());
  std::filesystem::path path;
  try {
    path = write_file(choose);
  } catch (const WriteError&) {
    return;  // a name that HDF5 does not take
  }
  fuzz::read_or_refuse([&] { weights::inspect(path); });
  fuzz::read_or_refuse([&] {
    const weights::FileInfo info = weights::probe(path);
    weights::compare(info, info);
  });
  for (const auto top : {weights::Top::loaded, weights::Top::replaced})
    fuzz::read_or_refuse([&] { weights::load(path, "inception_v3", kWanted, top); });
}
