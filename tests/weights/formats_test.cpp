#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "engine/core/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/weights/narrow_models.h"
#include "weights/recognise.h"
#include "weights/tables/keras.h"

using namespace xf::weights;
using xf::test::narrow_model;
using xf::test::TemporaryFolder;
using Texts = std::vector<std::string>;

namespace {

void check_reads(const std::filesystem::path& path, const std::string& network,
                 const std::vector<NamedShape>& wanted, Format format) {
  const FileInfo info = probe(path);
  CHECK(info.format == format);
  CHECK(info.network == network);
  xf::test::check_numbered(wanted, load(path, network, wanted, Top::loaded));
}

/// Names of ResNet50's layers, canonical and in v0.2 of deep-learning-models, from the tables of its source.
std::map<std::string, std::string> resnet50_v0_2_names() {
  std::map<std::string, std::string> names{{"conv1", "conv1"}, {"bn1", "bn_conv1"}, {"fc", "fc1000"}};
  const std::string blocks[] = {"abc", "abcd", "abcdef", "abc"};
  for (int stage = 1; stage <= 4; ++stage) {
    int index = 0;
    for (const char block : blocks[stage - 1]) {
      const std::string ours = fmt::format("layer{}.{}.", stage, index++);
      for (int i = 1; i <= 3; ++i) {
        const std::string branch = fmt::format("{}{}_branch2{}", stage + 1, block, "abc"[i - 1]);
        names[fmt::format("{}conv{}", ours, i)] = "res" + branch;
        names[fmt::format("{}bn{}", ours, i)] = "bn" + branch;
      }
      names[ours + "downsample.0"] = fmt::format("res{}{}_branch1", stage + 1, block);
      names[ours + "downsample.1"] = fmt::format("bn{}{}_branch1", stage + 1, block);
    }
  }
  return names;
}

/// VGG16's convolutions, canonical and Keras's.
std::map<std::string, std::string> vgg16_names() {
  return {{"features.0", "block1_conv1"},  {"features.2", "block1_conv2"},  {"features.5", "block2_conv1"},
          {"features.7", "block2_conv2"},  {"features.10", "block3_conv1"}, {"features.12", "block3_conv2"},
          {"features.14", "block3_conv3"}, {"features.17", "block4_conv1"}, {"features.19", "block4_conv2"},
          {"features.21", "block4_conv3"}, {"features.24", "block5_conv1"}, {"features.26", "block5_conv2"},
          {"features.28", "block5_conv3"}, {"classifier.0", "fc1"},         {"classifier.3", "fc2"},
          {"classifier.6", "predictions"}};
}

/// Keras 1 and the first files of Keras 2: "conv1_W:0", "bn_conv1_running_std:0".
std::string early_name(const std::string& layer, const std::string& part) {
  const std::map<std::string, std::string> parts{{"kernel", "W"},
                                                 {"bias", "b"},
                                                 {"gamma", "gamma"},
                                                 {"beta", "beta"},
                                                 {"moving_mean", "running_mean"},
                                                 {"moving_variance", "running_std"}};
  return fmt::format("{}_{}:0", layer, parts.at(part));
}

xf::test::KerasFile early_file(const std::vector<NamedShape>& model,
                               const std::map<std::string, std::string>& names) {
  xf::test::KerasFile file;
  for (auto& [layer, tensors] : xf::test::keras_layers(model)) {
    const std::string& name = names.at(layer);
    file.layer_names.push_back(name);
    for (auto& t : tensors) t.name = early_name(name, t.name);
    file.layers[name] = std::move(tensors);
  }
  return file;
}

enum class Named { yes, no };

/// Keras 3's layout; groups numbered in the order of Keras's model.layers.
void write_keras3(const std::filesystem::path& path, const std::string& network,
                  const std::vector<NamedShape>& model, Named named, const std::string& root = "/layers") {
  auto stored = xf::test::keras_layers(model);
  const auto layers = layers_of(model);
  std::map<std::string, int> count;
  xf::hdf5::Writer w(path);
  w.group("/vars");
  w.group(root + "/dropout/vars");
  for (const KerasLayer& l : keras_order(network, layers, KerasNames::current)) {
    std::string group = l.layer->kind == LayerKind::convolution  ? "conv2d"
                        : l.layer->kind == LayerKind::batch_norm ? "batch_normalization"
                                                                 : "dense";
    const int number = count[group]++;
    if (number > 0) group += fmt::format("_{}", number);
    const std::string vars = fmt::format("{}/{}/vars", root, group);
    int index = 0;
    for (const auto& t : stored.at(l.layer->name))
      w.dataset<float>(fmt::format("{}/{}", vars, index++), t.dims, t.values);
    if (named == Named::yes) w.attribute(vars, "name", std::string_view(l.name));
  }
  w.commit();
}

}  // namespace

TEST_CASE("state dicts of torchvision and Cadene, with dots and with slashes") {
  const TemporaryFolder folder;
  for (const char* network : {"resnet18", "resnet50", "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn",
                              "vgg13_bn", "vgg16_bn", "vgg19_bn", "inception_v3"}) {
    CAPTURE(network);
    const auto model = narrow_model(network, xf::torchvision_dialect(network), 5);
    for (const bool slashes : {false, true}) {
      xf::test::write_state_dict(folder / "w.h5", model, slashes);
      check_reads(folder / "w.h5", network, model, Format::state_dict);
    }
  }
  const auto model = narrow_model("inception_v2", xf::caffe_dialect("inception_v2"), 5);
  xf::test::write_state_dict(folder / "w.h5", model);
  check_reads(folder / "w.h5", "inception_v2", model, Format::state_dict);
  xf::Dialect expected = xf::caffe_dialect("inception_v2");
  expected.preprocess.reset();
  CHECK(probe(folder / "w.h5").dialect == expected);
}

TEST_CASE("what a state dict holds beside the network is left out") {
  const TemporaryFolder folder;
  auto model = narrow_model("inception_v3", xf::torchvision_dialect("inception_v3"), 5);
  const auto wanted = model;
  model.push_back({"AuxLogits.conv0.conv.weight", {8, 1, 1, 48}});
  model.push_back({"AuxLogits.fc.weight", {5, 1, 1, 48}});
  model.push_back({"Conv2d_1a_3x3.bn.num_batches_tracked", {1, 1, 1, 1}});
  xf::test::write_state_dict(folder / "w.h5", model);
  check_reads(folder / "w.h5", "inception_v3", wanted, Format::state_dict);
  CHECK(probe(folder / "w.h5").top_classes == 5);
}

TEST_CASE("a bottleneck's stride is not among a state dict's keys") {
  const TemporaryFolder folder;
  xf::test::write_state_dict(folder / "w.h5",
                             narrow_model("resnet50", xf::torchvision_dialect("resnet50"), 5));
  const FileInfo info = probe(folder / "w.h5");
  CHECK(info.stride_unknown);
  CHECK(with_family(info, xf::Family::torchvision).stride == xf::StridePlacement::middle_3x3);
  const xf::Dialect keras = with_family(info, xf::Family::keras);
  CHECK(keras.stride == xf::StridePlacement::first_1x1);
  CHECK(keras.conv_bias == xf::ConvBias::absent);  // the file has none
  xf::test::write_state_dict(folder / "w.h5",
                             narrow_model("resnet18", xf::torchvision_dialect("resnet18"), 5));
  CHECK_FALSE(probe(folder / "w.h5").stride_unknown);
}

TEST_CASE("both generations of Keras's ResNet50") {
  const TemporaryFolder folder;
  const auto model = narrow_model("resnet50", xf::keras_dialect("resnet50"), 5);
  early_file(model, resnet50_v0_2_names()).write(folder / "old.h5");
  check_reads(folder / "old.h5", "resnet50", model, Format::keras);
  xf::Dialect expected = xf::keras_dialect("resnet50");
  expected.preprocess.reset();
  expected.bn_eps = 1e-3F;
  CHECK(probe(folder / "old.h5").dialect == expected);

  std::map<std::string, std::string> names;
  for (const Layer& l : layers_of(model))
    names[l.name] = keras_layer_name("resnet50", l.name, KerasNames::current);
  xf::test::KerasFile current = early_file(model, names);
  current.write(folder / "new.h5");
  check_reads(folder / "new.h5", "resnet50", model, Format::keras);
  expected.bn_eps = 1.001e-5F;
  CHECK(probe(folder / "new.h5").dialect == expected);

  // Half of one and half of the other.
  for (auto& name : current.layer_names) {
    if (!name.starts_with("conv5_block3")) continue;
    const auto layer = current.layers.at(name);
    name.insert(0, "res5c");
    current.layers[name] = layer;
  }
  current.write(folder / "mixed.h5");
  CHECK_THROWS_WITH_AS(load(folder / "mixed.h5", "resnet50", model, Top::loaded),
                       doctest::Contains("conv5_block3_1_conv/kernel (layer4.2.conv1.weight): missing"),
                       xf::DataError);
}

TEST_CASE("VGG16 by Keras: with top, without, and under a new head") {
  const TemporaryFolder folder;
  const auto model = narrow_model("vgg16", xf::keras_dialect("vgg16"), 5);
  xf::test::KerasFile file = early_file(model, vgg16_names());
  file.write(folder / "top.h5");
  check_reads(folder / "top.h5", "vgg16", model, Format::keras);
  CHECK(probe(folder / "top.h5").dialect->head == xf::Head::fc);

  std::erase_if(file.layer_names, [](const std::string& l) { return !l.starts_with("block"); });
  file.write(folder / "notop.h5");
  const FileInfo info = probe(folder / "notop.h5");
  CHECK(info.network == "vgg16");
  REQUIRE(info.dialect);
  CHECK(info.dialect->head == xf::Head::pool);
  CHECK_FALSE(info.top_classes);
  const auto trunk = narrow_model("vgg16", *info.dialect, 0);
  xf::test::check_numbered(trunk, load(folder / "notop.h5", "vgg16", trunk, Top::replaced));

  file.layer_names.insert(file.layer_names.end(), {"dense_1", "dense_2"});
  file.layers["dense_1"] = {{"dense_1_W:0", {1568, 6}, std::vector<float>(1568 * 6)}};
  file.layers["dense_2"] = {{"dense_2_W:0", {6, 3}, std::vector<float>(18)}};
  file.write(folder / "head.h5");
  CHECK(load(folder / "head.h5", "vgg16", trunk, Top::replaced).ignored ==
        Texts{"dense_1/dense_1_W:0", "dense_2/dense_2_W:0"});
}

TEST_CASE("Keras 3's layout, with the layers' names and without") {
  const TemporaryFolder folder;
  for (const char* network : {"inception_v3", "resnet50", "resnet101", "vgg16", "vgg19", "merged_view"}) {
    CAPTURE(network);
    const auto model = narrow_model(network, xf::keras_dialect(network), 5);
    for (const Named named : {Named::yes, Named::no}) {
      for (const char* root : {"/layers", "/_layer_checkpoint_dependencies", "/layers/functional/layers"}) {
        write_keras3(folder / "w.weights.h5", network, model, named, root);
        check_reads(folder / "w.weights.h5", network, model, Format::keras3);
      }
    }
  }
}

TEST_CASE("Keras 3's layout without names: the new classifier of a VGG leaves its other dense layers") {
  const TemporaryFolder folder;
  auto model = narrow_model("vgg16", xf::keras_dialect("vgg16"), 5);
  write_keras3(folder / "w.weights.h5", "vgg16", model, Named::no);
  const Loaded loaded = load(folder / "w.weights.h5", "vgg16", model, Top::replaced);
  CHECK(loaded.tensors.count("classifier.0.weight") == 1);
  CHECK(loaded.tensors.count("classifier.3.bias") == 1);
  CHECK(loaded.tensors.count("classifier.6.weight") == 0);
}

TEST_CASE("Keras 3's layout without names: the two ResNet50 are told apart by their extents") {
  const auto model = model_tensors("resnet50", xf::keras_dialect("resnet50"), 1000);
  const auto layers = layers_of(model);
  for (const auto& [names, spelling] : {std::pair(KerasNames::current, Spelling::by_depth),
                                        std::pair(KerasNames::v0_2, Spelling::by_depth_v0_2)}) {
    Listing listing{Format::keras3, "3", {}, false, {}};
    std::map<LayerKind, int> count;
    for (const KerasLayer& l : keras_order("resnet50", layers, names)) {
      const char* group = l.layer->kind == LayerKind::convolution  ? "conv2d"
                          : l.layer->kind == LayerKind::batch_norm ? "batch_normalization"
                                                                   : "dense";
      const int number = count[l.layer->kind]++;
      StoredLayer stored{number == 0 ? group : fmt::format("{}_{}", group, number), {}};
      for (const Part& part : l.layer->parts)
        stored.tensors.push_back(
            {"", "", part.role, keras_dims(model[part.index], l.layer->kind, part.role), "f32"});
      listing.layers.push_back(std::move(stored));
    }
    const auto found = recognise(listing);
    REQUIRE(found);
    CHECK(found->network == "resnet50");
    CHECK(found->spelling == spelling);
    CHECK(dialect_of_tensors(listing, *found).dialect.bn_eps ==
          doctest::Approx(names == KerasNames::v0_2 ? 1e-3 : 1.001e-5));
  }
}

TEST_CASE("Caffe's blobs of BN-Inception") {
  const TemporaryFolder folder;
  xf::Dialect dialect = xf::caffe_dialect("inception_v2");
  dialect.conv_bias = xf::ConvBias::absent;
  const auto model = narrow_model("inception_v2", dialect, 5);
  auto stored = xf::test::keras_layers(model);
  for (const char* root : {"", "/data"}) {
    xf::hdf5::Writer w(folder / "w.h5");
    for (size_t k = 0; k < model.size(); ++k) {
      std::string layer = xf::test::layer_of(model[k].name);
      const bool norm = layer.ends_with("_bn");
      if (norm) layer.resize(layer.size() - 3);
      const auto rename = [&](const std::string& from, const std::string& to) {
        const size_t at = layer.find(from);
        if (at != std::string::npos) layer.replace(at, from.size(), to);
      };
      rename("double_3x3_1", "double3x3a");
      rename("double_3x3_2", "double3x3b");
      rename("double_3x3_reduce", "double3x3_reduce");
      if (layer == "last_linear") layer = "loss3/classifier";
      for (const char* group :
           {"inception_3a", "inception_3b", "inception_3c", "inception_4a", "inception_4b", "inception_4c",
            "inception_4d", "inception_4e", "inception_5a", "inception_5b", "conv1", "conv2"})
        if (layer.starts_with(group)) layer[std::string(group).size()] = '/';
      const xf::Shape& s = model[k].shape;
      const std::string part = xf::test::part_of(model[k].name);
      std::vector<float> values = numbered_values(
          k, s, xf::test::is_kernel(model[k]) && !norm ? xf::test::Order::oihw : xf::test::Order::ohwi);
      std::string place = fmt::format("{}/{}", root, layer);
      std::vector<int64_t> dims{s.c};
      if (!norm) {
        if (xf::test::is_kernel(model[k])) dims = {s.n, s.c, s.h, s.w};
        if (dims.size() == 4 && layer == "loss3/classifier") dims = {s.n, s.c};
        place += part == "weight" ? "/0" : "/1";
      } else if (part == "weight" || part == "bias") {
        place += part == "weight" ? "/bn/sc/0" : "/bn/sc/1";
      } else {
        // Mean and variance are stored as a multiple; 4 keeps the numbers exact.
        for (float& v : values) v *= 4;
        if (part == "running_mean")
          w.dataset<float>(place + "/bn/2", std::vector<int64_t>{1}, std::vector<float>{4});
        place += part == "running_mean" ? "/bn/0" : "/bn/1";
      }
      w.dataset<float>(place, dims, values);
    }
    w.commit();
    check_reads(folder / "w.h5", "inception_v2", model, Format::caffe);
    xf::Dialect expected = dialect;
    expected.preprocess.reset();
    CHECK(probe(folder / "w.h5").dialect == expected);
  }
}

TEST_CASE("real files of VGG16 and of the merged-view network") {
  const auto vgg = xf::test::data_path("vgg16_notop.h5"),
             merged = xf::test::data_path("keras_full_model_merged_view.h5");
  if (!vgg || !merged) return;
  const FileInfo v = probe(*vgg), m = probe(*merged);
  CHECK(v.network == "vgg16");
  REQUIRE(v.dialect);
  CHECK(v.dialect->head == xf::Head::pool);
  CHECK(load(*vgg, "vgg16", model_tensors("vgg16", *v.dialect, 3), Top::replaced).tensors.size() == 26);
  CHECK(m.network == "merged_view");
  REQUIRE(m.dialect);
  CHECK(m.dialect->height == 140);
  CHECK(m.dialect->width == 170);
  CHECK_FALSE(m.top_classes);
  CHECK(load(*merged, "merged_view", tensors_of(m), Top::loaded).tensors.size() == 10);
}
