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
