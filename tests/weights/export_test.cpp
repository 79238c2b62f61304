#include "weights/export.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/io/atomic_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/weights/keras_file.h"
#include "weights/import.h"
#include "weights/tables/keras.h"

using namespace xf::weights;
using xf::test::inception_v3_tensors;
using xf::test::TemporaryFolder;
using Texts = std::vector<std::string>;

namespace {

struct Model {
  std::vector<NamedShape> shapes;
  std::vector<xf::Tensor> tensors;
  [[nodiscard]] std::vector<NamedTensor> named() const {
    std::vector<NamedTensor> out;
    for (size_t i = 0; i < shapes.size(); ++i) out.push_back({shapes[i].name, &tensors[i]});
    return out;
  }
};

Model random_model(std::vector<NamedShape> shapes) {
  Model m{std::move(shapes), {}};
  xf::Rng rng(11);
  for (const NamedShape& s : m.shapes) {
    m.tensors.emplace_back(s.shape);
    for (float& x : m.tensors.back().as<float>()) x = static_cast<float>(rng.normal());
  }
  return m;
}

void check_same(const Model& m, const Loaded& loaded) {
  REQUIRE(loaded.tensors.size() == m.shapes.size());
  for (size_t i = 0; i < m.shapes.size(); ++i) {
    const xf::Tensor& t = loaded.tensors.at(m.shapes[i].name);
    REQUIRE(t.bytes() == m.tensors[i].bytes());
    REQUIRE(std::memcmp(t.data(), m.tensors[i].data(), t.bytes()) == 0);
  }
}

std::vector<NamedShape> resnet18_tensors(int64_t width) {
  std::vector<NamedShape> list;
  const auto conv_bn = [&](const std::string& conv, const std::string& bn, int64_t k, int64_t in,
                           int64_t out) {
    list.push_back({conv + ".weight", {out, k, k, in}});
    for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
      list.push_back({bn + "." + part, xf::vector_shape(out)});
    }
  };
  conv_bn("conv1", "bn1", 7, 3, width);
  int64_t in = width;
  for (int stage = 1; stage <= 4; ++stage) {
    const int64_t out = width << (stage - 1);
    for (int block = 0; block < 2; ++block) {
      const std::string at = fmt::format("layer{}.{}.", stage, block);
      conv_bn(at + "conv1", at + "bn1", 3, in, out);
      conv_bn(at + "conv2", at + "bn2", 3, out, out);
      if (in != out) conv_bn(at + "downsample.0", at + "downsample.1", 1, in, out);
      in = out;
    }
  }
  list.push_back({"fc.weight", {4, 1, 1, in}});
  list.push_back({"fc.bias", xf::vector_shape(4)});
  return list;
}

}  // namespace

TEST_CASE("InceptionV3 comes back bit by bit, with what the run knew") {
  const TemporaryFolder folder;
  const Model m = random_model(inception_v3_tensors(16, 3));
  RunInfo info{"inception_v3", xf::keras_dialect("inception_v3"), {"koi", "line", "whistle"}, ""};
  info.dialect.preprocess = xf::Preprocess::unit;
  const std::string id = save(folder / "best.h5", info, m.named());
  check_same(m, load(folder / "best.h5", "inception_v3", m.shapes, Top::loaded));

  const RunInfo back = read_run_info(folder / "best.h5");
  CHECK(back.network == "inception_v3");
  CHECK(back.dialect == info.dialect);
  CHECK(back.classes == info.classes);
  CHECK(back.model_id == id);
  const FileInfo seen = probe(folder / "best.h5");
  CHECK(seen.top_classes == 3);
  CHECK(seen.preprocess_source == "the file");
  CHECK(xf::hdf5::File(folder / "best.h5").text("/", "preprocess") == "unit");

  CHECK(save(folder / "again.h5", info, m.named()) == id);
  CHECK(xf::test::content(folder / "again.h5") == xf::test::content(folder / "best.h5"));
  info.classes[0] = "tomte";
  CHECK(save(folder / "other.h5", info, m.named()) != id);
}

TEST_CASE("layers stand in the order of Keras's model.layers") {
  const auto path = xf::test::data_path("inception_v3_trunk.h5");
  if (!path) return;
  // The real file numbers from 1, what is written here from 0 as a new session of Keras does.
  const auto from_zero = [](const std::string& name) {
    const size_t at = name.rfind('_');
    const int number = std::stoi(name.substr(at + 1)) - 1;
    return name.substr(0, at) + (number == 0 ? "" : "_" + std::to_string(number));
  };
  Texts expected;
  const xf::hdf5::File file(*path);
  for (const std::string& l : file.strings("/", "layer_names")) {
    if (!file.strings("/" + l, "weight_names").empty()) expected.push_back(from_zero(l));
  }
  expected.emplace_back("predictions");
  Texts order;
  const auto layers = layers_of(inception_v3_tensors(16, 3));
  for (const KerasLayer& l : keras_order("inception_v3", layers, KerasNames::current))
    order.push_back(l.name);
  CHECK(order == expected);
}

TEST_CASE("networks whose layers have the same names are told apart by what the file says") {
  const TemporaryFolder folder;
  const Model m = random_model(resnet18_tensors(4));
  save(folder / "best.h5",
       {"resnet18_narrow", xf::torchvision_dialect("resnet18_narrow"), {"a", "b", "c", "d"}, ""}, m.named());
  check_same(m, load(folder / "best.h5", "resnet18_narrow", m.shapes, Top::loaded));
  const std::string expected =
      (folder / "best.h5").string() + ": holds the weights of resnet18_narrow, not of resnet18";
  CHECK_THROWS_WITH_AS(load(folder / "best.h5", "resnet18", m.shapes, Top::loaded), expected.c_str(),
                       xf::DataError);
}

TEST_CASE("a network that Keras lacks keeps torchvision's names") {
  const TemporaryFolder folder;
  const Model m = random_model(resnet18_tensors(4));
  save(folder / "best.h5", {"resnet18", xf::torchvision_dialect("resnet18"), {"a", "b", "c", "d"}, ""},
       m.named());
  check_same(m, load(folder / "best.h5", "resnet18", m.shapes, Top::loaded));
  const xf::hdf5::File file(folder / "best.h5");
  CHECK(file.strings("/layer1.0.bn1", "weight_names") == Texts{"layer1.0.bn1/gamma:0", "layer1.0.bn1/beta:0",
                                                               "layer1.0.bn1/moving_mean:0",
                                                               "layer1.0.bn1/moving_variance:0"});
  CHECK(file.dims("/fc/fc/kernel:0") == std::vector<int64_t>{32, 4});
  CHECK(probe(folder / "best.h5").network == "resnet18");
  CHECK(load(folder / "best.h5", "resnet18", resnet18_tensors(4), Top::replaced).ignored ==
        Texts{"fc/kernel:0", "fc/bias:0"});
}

TEST_CASE("Keras's names of ResNet50's layers") {
  CHECK(keras_layer_name("resnet50", "conv1", KerasNames::current) == "conv1_conv");
  CHECK(keras_layer_name("resnet50", "bn1", KerasNames::current) == "conv1_bn");
  CHECK(keras_layer_name("resnet50", "layer1.0.conv1", KerasNames::current) == "conv2_block1_1_conv");
  CHECK(keras_layer_name("resnet50", "layer3.5.bn3", KerasNames::current) == "conv4_block6_3_bn");
  CHECK(keras_layer_name("resnet50", "layer4.0.downsample.0", KerasNames::current) == "conv5_block1_0_conv");
  CHECK(keras_layer_name("resnet50", "layer4.0.downsample.1", KerasNames::current) == "conv5_block1_0_bn");
  CHECK(keras_layer_name("resnet50", "fc", KerasNames::current) == "predictions");
  CHECK(keras_layer_name("resnet18", "conv1", KerasNames::current).empty());
}

TEST_CASE("a bottleneck stands in the order of Keras's model.layers") {
  std::vector<NamedShape> shapes;
  const auto conv_bn = [&](const std::string& conv, const std::string& bn) {
    shapes.push_back({conv + ".weight", {2, 1, 1, 2}});
    shapes.push_back({bn + ".running_mean", xf::vector_shape(2)});
  };
  conv_bn("conv1", "bn1");
  for (const std::string n : {"1", "2", "3"}) conv_bn("layer1.0.conv" + n, "layer1.0.bn" + n);
  conv_bn("layer1.0.downsample.0", "layer1.0.downsample.1");
  const auto layers = layers_of(shapes);
  Texts order;
  for (const KerasLayer& l : keras_order("resnet50", layers, KerasNames::current)) order.push_back(l.name);
  CHECK(order == Texts{"conv1_conv", "conv1_bn", "conv2_block1_1_conv", "conv2_block1_1_bn",
                       "conv2_block1_2_conv", "conv2_block1_2_bn", "conv2_block1_0_conv",
                       "conv2_block1_3_conv", "conv2_block1_0_bn", "conv2_block1_3_bn"});
}

TEST_CASE("a changed byte of a tensor is noticed and named") {
  const TemporaryFolder folder;
  const Model m = random_model(resnet18_tensors(4));
  save(folder / "best.h5", {"resnet18", xf::torchvision_dialect("resnet18"), {"a", "b", "c", "d"}, ""},
       m.named());
  std::string bytes = xf::test::content(folder / "best.h5");
  const auto* raw = reinterpret_cast<const char*>(m.tensors.back().data());  // fc.bias
  const size_t at = bytes.find(std::string(raw, m.tensors.back().bytes()));
  REQUIRE(at != std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  xf::io::write_file(folder / "best.h5", bytes);
  CHECK_THROWS_WITH_AS(load(folder / "best.h5", "resnet18", m.shapes, Top::loaded),
                       doctest::Contains("fc/bias:0 (fc.bias): differs from its checksum"), xf::DataError);
}

TEST_CASE("a file of another program says nothing about a run") {
  const TemporaryFolder folder;
  xf::test::narrow_inception_v3(16, 0).write(folder / "w.h5");
  CHECK_THROWS_WITH_AS(read_run_info(folder / "w.h5"), doctest::Contains("was not written by xferrun"),
                       xf::DataError);
  CHECK_FALSE(probe(folder / "w.h5").run);
}
