#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "engine/core/error.h"
#include "tests/support/temporary_folder.h"
#include "tests/weights/narrow_models.h"
#include "weights/compare.h"

using namespace xf::weights;
using xf::test::narrow_model;
using xf::test::TemporaryFolder;
using Texts = std::vector<std::string>;

namespace {

struct Numbered {
  std::vector<NamedShape> shapes;
  std::vector<xf::Tensor> tensors;
  explicit Numbered(std::vector<NamedShape> list) : shapes(std::move(list)) {
    for (size_t k = 0; k < shapes.size(); ++k) {
      const auto values = numbered_values(k, shapes[k].shape, xf::test::Order::ohwi);
      std::copy(values.begin(), values.end(), tensors.emplace_back(shapes[k].shape).as<float>().begin());
    }
  }
  [[nodiscard]] std::vector<NamedTensor> named() const {
    std::vector<NamedTensor> out;
    for (size_t k = 0; k < shapes.size(); ++k) out.push_back({shapes[k].name, &tensors[k]});
    return out;
  }
};

}  // namespace

TEST_CASE("what is written for another program comes back bit by bit") {
  struct Case {
    const char* network;
    xf::Dialect dialect;
    std::vector<Target> targets;
  };
  xf::Dialect old_resnet = xf::keras_dialect("resnet50");
  old_resnet.bn_eps = 1e-3F;
  const std::vector<Target> kKeras{Target::keras, Target::keras3}, kTorch{Target::torchvision},
      kAll{Target::keras, Target::keras3, Target::torchvision};
  const Case cases[] = {{"inception_v3", xf::keras_dialect("inception_v3"), kKeras},
                        {"inception_v3", xf::torchvision_dialect("inception_v3"), kTorch},
                        {"resnet50", xf::keras_dialect("resnet50"), kKeras},
                        {"resnet50", old_resnet, {Target::keras}},
                        {"resnet50", xf::torchvision_dialect("resnet50"), kTorch},
                        {"vgg16", xf::keras_dialect("vgg16"), kAll},
                        {"vgg19", xf::torchvision_dialect("vgg19"), kAll},
                        {"vgg11_bn", xf::torchvision_dialect("vgg11_bn"), kTorch},
                        {"inception_v2", xf::caffe_dialect("inception_v2"), kTorch},
                        {"merged_view", xf::keras_dialect("merged_view"), kKeras}};
  const TemporaryFolder folder;
  for (const Case& c : cases) {
    CAPTURE(c.network);
    const Numbered model(narrow_model(c.network, c.dialect, 5));
    for (const Target target : c.targets) {
      CHECK(cannot_express(target, c.network, c.dialect).empty());
      save(folder / "w.h5", {c.network, c.dialect, {}, {}}, model.named(), target);
      xf::test::check_numbered(model.shapes, load(folder / "w.h5", c.network, model.shapes, Top::loaded));
      const FileInfo info = probe(folder / "w.h5");
      CHECK(info.network == c.network);
      CHECK(info.dialect == c.dialect);
      CHECK(info.top_classes == 5);
    }
  }
}

TEST_CASE("Keras 3's groups are numbered in the order of model.layers and say the layer's name") {
  const TemporaryFolder folder;
  const Numbered model(narrow_model("resnet50", xf::keras_dialect("resnet50"), 5));
  save(folder / "w.h5", {"resnet50", xf::keras_dialect("resnet50"), {}, {}}, model.named(), Target::keras3);
  const xf::hdf5::File file(folder / "w.h5");
  // The projection stands before the third convolution.
  CHECK(file.text("/layers/conv2d_3/vars", "name") == "conv2_block1_0_conv");
  CHECK(file.text("/layers/conv2d_4/vars", "name") == "conv2_block1_3_conv");
  CHECK(file.text("/layers/dense/vars", "name") == "predictions");
  CHECK(file.children("/layers/batch_normalization/vars") == Texts{"0", "1", "2", "3"});
}

TEST_CASE("the first fully connected layer of VGG is flattened as each program does it") {
  const TemporaryFolder folder;
  const Numbered model(narrow_model("vgg16", xf::keras_dialect("vgg16"), 5));
  const RunInfo info{"vgg16", xf::keras_dialect("vgg16"), {}, {}};
  save(folder / "keras.h5", info, model.named(), Target::keras);
  save(folder / "torch.h5", info, model.named(), Target::torchvision);
  // Output o, row h, column w, channel c of (256, 7, 7, 32).
  constexpr size_t kO = 200, kH = 2, kW = 5, kC = 17;
  const auto keras = xf::hdf5::File(folder / "keras.h5").read<float>("/fc1/fc1/kernel:0");
  const auto torch = xf::hdf5::File(folder / "torch.h5").read<float>("/classifier.0.weight");
  size_t k = 0;
  while (model.shapes[k].name != "classifier.0.weight") ++k;
  const float value = xf::test::numbered_value(k, ((kO * 7 + kH) * 7 + kW) * 32 + kC);
  CHECK(keras[((kH * 7 + kW) * 32 + kC) * 256 + kO] == value);
  CHECK(torch[kO * 1568 + (kC * 7 + kH) * 7 + kW] == value);
}

TEST_CASE("what a program's own class cannot compute is not written for it") {
  using xf::keras_dialect;
  using xf::torchvision_dialect;
  const auto says = [](Target target, const char* network, const xf::Dialect& dialect, const char* part) {
    const std::string reason = cannot_express(target, network, dialect);
    CAPTURE(reason);
    CHECK(reason.find(part) != std::string::npos);
  };
  says(Target::keras, "resnet18", torchvision_dialect("resnet18"), "Keras has no resnet18");
  says(Target::keras3, "inception_v2", xf::caffe_dialect("inception_v2"), "Keras has no inception_v2");
  says(Target::torchvision, "merged_view", keras_dialect("merged_view"), "torchvision has no merged_view");
  says(Target::torchvision, "inception_v3", keras_dialect("inception_v3"), "average pools exclude padding");
  says(Target::torchvision, "inception_v3", keras_dialect("inception_v3"), "no gamma");
  says(Target::keras, "inception_v3", torchvision_dialect("inception_v3"), "average pools count padding");
  says(Target::torchvision, "resnet50", keras_dialect("resnet50"),
       "it is resnet50 v1, torchvision's is v1.5");
  says(Target::keras, "resnet50", torchvision_dialect("resnet50"), "convolutions have no bias");
  xf::Dialect old_resnet = keras_dialect("resnet50");
  old_resnet.bn_eps = 1e-3F;
  says(Target::keras3, "resnet50", old_resnet, "epsilon 0.001, Keras's 1.001e-05");
  xf::Dialect caffe = xf::caffe_dialect("inception_v2");
  caffe.conv_bias = xf::ConvBias::absent;
  says(Target::torchvision, "inception_v2", caffe, "convolutions have no bias, Cadene's have one");
  CHECK_THROWS_AS(parse_target("onnx"), xf::UsageError);
}

TEST_CASE("files are compared by canonical names, whatever their layouts") {
  const TemporaryFolder folder;
  const xf::Dialect dialect = xf::torchvision_dialect("resnet18_narrow");
  const RunInfo info{"resnet18_narrow", dialect, {}, {}};
  Numbered model(model_tensors("resnet18_narrow", dialect, 5));
  save(folder / "a.h5", info, model.named());
  xf::test::write_state_dict(folder / "b.h5", model.shapes);
  const Comparison equal = compare(probe(folder / "a.h5"), probe(folder / "b.h5"));
  CHECK(equal.differences.empty());
  CHECK(equal.same == static_cast<int64_t>(model.shapes.size()));

  model.tensors[0].as<float>()[7] += 0.5F;
  auto list = model.named();
  list.resize(list.size() - 2);  // without the top
  save(folder / "c.h5", info, list);
  const Comparison other = compare(probe(folder / "b.h5"), probe(folder / "c.h5"));
  REQUIRE(other.differences.size() == 3);
  CHECK(other.differences[0].tensor == "conv1.weight");
  CHECK(other.differences[0].largest == 0.5);
  CHECK(other.differences[1].text == "fc.bias: missing in " + (folder / "c.h5").string());
  CHECK(compare(probe(folder / "c.h5"), probe(folder / "b.h5")).differences[1].text ==
        "fc.bias: extra in " + (folder / "b.h5").string());

  xf::test::write_state_dict(folder / "d.h5", narrow_model("vgg11", xf::torchvision_dialect("vgg11"), 5));
  CHECK_THROWS_AS(compare(probe(folder / "a.h5"), probe(folder / "d.h5")), xf::DataError);
}
