#include <doctest/doctest.h>

#include <string>

#include "models/registry.h"
#include "tests/weights/inception_v3_tensors.h"
#include "weights/tables/keras.h"

using namespace xf::weights;

namespace {

/// Parameters and states of a model in creation order.
std::vector<NamedShape> tensors_of(const char* model, const xf::Dialect& dialect, int classes) {
  xf::Graph graph;
  const xf::NetOptions options = xf::net_options(dialect);
  const xf::Value x =
      graph.input("x", {{1, dialect.height, dialect.width, dialect.channels}, xf::DType::f32});
  (void)xf::find_model(model).build(xf::Net(graph, options), x, dialect, classes);
  std::vector<NamedShape> list;
  for (int i = 0; i < graph.size(); ++i) {
    const xf::Node& node = graph.node(i);
    const bool carried = node.source == xf::Source::param || node.source == xf::Source::state;
    if (carried) list.push_back({node.name, node.outputs[0].shape});
  }
  return list;
}

}  // namespace

TEST_CASE("InceptionV3 creates the tensors of the paper's table in Keras's order") {
  for (const auto gamma : {xf::test::Gamma::absent, xf::test::Gamma::present}) {
    const bool keras = gamma == xf::test::Gamma::absent;
    const auto dialect = keras ? xf::keras_dialect("inception_v3") : xf::torchvision_dialect("inception_v3");
    const auto made = tensors_of("inception_v3", dialect, 7);
    const auto expected = xf::test::inception_v3_tensors(1, 7, gamma);
    REQUIRE(made.size() == expected.size());
    for (size_t i = 0; i < made.size(); ++i) {
      CHECK(made[i].name == expected[i].name);
      CHECK(made[i].shape == expected[i].shape);
    }
  }
}

TEST_CASE("every layer of Keras's ResNet50 has a name and a place") {
  const auto made = tensors_of("resnet50", xf::keras_dialect("resnet50"), 7);
  const auto layers = layers_of(made);
  const auto order = keras_order("resnet50", layers);
  CHECK(order.size() == 107);  // 53 convolutions, 53 normalisations, the classifier
  for (const KerasLayer& l : order) {
    CHECK_FALSE(l.name.empty());
    if (l.layer->kind == LayerKind::convolution) CHECK(l.layer->parts.size() == 2);  // kernel and bias
  }
}
