#include "tests/fuzz/hdf5_choice.h"
#include "tests/weights/inception_v3_tensors.h"
#include "weights/compare.h"
#include "weights/inspect.h"

using namespace xf;
using fuzz::Choice;
using fuzz::word;

namespace {

std::string layer_name(Choice& choose) {
  return word(choose,
              {"conv2d", "conv2d_1", "conv2d_94", "convolution2d_1", "batch_normalization",
               "batch_normalization_1", "activation_1", "predictions", "dense_1", "fc1000", "block1_conv1",
               "res2a_branch2a", "bn_conv1", "conv1", "layer1.0.conv1", "layer4.1.bn2", "fc", "bn1"});
}

void add_tensor(hdf5::Writer& file, Choice& choose, const std::string& path) {
  fuzz::add_numbers(file, choose, path, fuzz::any_dims(choose, 5), {0, 0.5});
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
    if (!twice && !fuzz::oddly(choose)) add_tensor(file, choose, fmt::format("{}/{}", group, name));
  }
  if (!fuzz::oddly(choose)) file.attribute(group, "weight_names", names);
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
  if (!fuzz::oddly(choose)) file.attribute(root.empty() ? "/" : root, "layer_names", layers);
}

void add_keras3(hdf5::Writer& file, Choice& choose) {
  const auto count = choose.ConsumeIntegralInRange(0, 8);
  for (int i = 0; i < count; ++i) {
    std::string vars =
        fmt::format("/{}/{}", word(choose, {"layers", "_layer_checkpoint_dependencies"}), layer_name(choose));
    if (fuzz::oddly(choose)) vars += "/layers/conv2d";
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

void fill(hdf5::Writer& file, Choice& choose) {
  switch (choose.ConsumeIntegralInRange(0, 3)) {
    case 0: add_keras3(file, choose); break;
    case 1: add_state_dict(file, choose); break;
    case 2: add_caffe(file, choose); break;
    default: add_legacy_keras(file, choose);
  }
  add_attributes(file, choose);
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  static const std::vector<weights::NamedShape> kWanted = test::inception_v3_tensors(32, 3);
  Choice choose(input.data(), input.size());
  const auto path = write_hdf5("weights.h5", [&](hdf5::Writer& to) { fill(to, choose); });
  if (!path) return;
  read_or_refuse([&] { weights::inspect(*path); });
  read_or_refuse([&] {
    const weights::FileInfo info = weights::probe(*path);
    weights::compare(info, info);
  });
  for (const auto top : {weights::Top::loaded, weights::Top::replaced})
    read_or_refuse([&] { weights::load(*path, "inception_v3", kWanted, top); });
}
