#include <doctest/doctest.h>

#include <string>

#include "tests/weights/inception_v3_tensors.h"
#include "weights/model_tensors.h"
#include "weights/tables/keras.h"

using namespace xf::weights;

TEST_CASE("InceptionV3 creates the tensors of the paper's table in Keras's order") {
  for (const auto gamma : {xf::test::Gamma::absent, xf::test::Gamma::present}) {
    const bool keras = gamma == xf::test::Gamma::absent;
    const auto dialect = keras ? xf::keras_dialect("inception_v3") : xf::torchvision_dialect("inception_v3");
    const auto made = model_tensors("inception_v3", dialect, 7);
    const auto expected = xf::test::inception_v3_tensors(1, 7, gamma);
    REQUIRE(made.size() == expected.size());
    for (size_t i = 0; i < made.size(); ++i) {
      CHECK(made[i].name == expected[i].name);
      CHECK(made[i].shape == expected[i].shape);
    }
  }
}

TEST_CASE("every layer of Keras's ResNet50 has a name and a place") {
  const auto made = model_tensors("resnet50", xf::keras_dialect("resnet50"), 7);
  const auto layers = layers_of(made);
  const auto order = keras_order("resnet50", layers, KerasNames::current);
  CHECK(order.size() == 107);  // 53 convolutions, 53 normalisations, the classifier
  for (const KerasLayer& l : order) {
    CHECK_FALSE(l.name.empty());
    if (l.layer->kind == LayerKind::convolution) CHECK(l.layer->parts.size() == 2);  // kernel and bias
  }
}

TEST_CASE("the former ResNet50 adds its projection behind: another order of model.layers") {
  const auto layers = layers_of(model_tensors("resnet50", xf::keras_dialect("resnet50"), 7));
  const auto block_of = [&](KerasNames names) {
    std::string block;
    const auto order = keras_order("resnet50", layers, names);
    for (size_t i = 6; i < 10; ++i) block += order.at(i).name + " ";
    return block;
  };
  // Keras prints these orders of the two definitions.
  CHECK(block_of(KerasNames::v0_2) == "res2a_branch2c res2a_branch1 bn2a_branch2c bn2a_branch1 ");
  CHECK(block_of(KerasNames::current) ==
        "conv2_block1_0_conv conv2_block1_3_conv conv2_block1_0_bn conv2_block1_3_bn ");
}
