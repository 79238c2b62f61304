#include "models/registry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "engine/core/error.h"

namespace xf::test {
namespace {

/// A network recorded on one image of its dialect's size; nothing is computed.
struct Recorded {
  Recorded(std::string_view model, const Dialect& dialect, int classes) {
    const Value x = graph.input("x", {{1, dialect.height, dialect.width, dialect.channels}, DType::f32});
    const NetOptions options = net_options(dialect);
    outputs = find_model(model).build(Net(graph, options), x, dialect, classes);
  }
  [[nodiscard]] int64_t count(Source kind) const {
    int64_t sum = 0;
    for (const Value& v : graph.sources(kind)) sum += v.shape().count();
    return sum;
  }
  [[nodiscard]] bool has(const std::string& name) const {
    const std::vector<Value> all = graph.sources(Source::param);
    return std::any_of(all.begin(), all.end(), [&](const Value& v) { return graph.node(v).name == name; });
  }
  Graph graph;
  ModelOutputs outputs;
};

struct Published {
  std::string model;
  Family family;
  int64_t features, trained;
};

// Trained parameters with 1000 classes as torchvision's documentation has them (InceptionV3: without the
// auxiliary classifier), and as keras.applications' summary(): with the statistics of batch normalisation,
// which are two vectors of each.
const Published kPublished[] = {
    {"resnet18", Family::torchvision, 512, 11689512},
    {"resnet34", Family::torchvision, 512, 21797672},
    {"resnet50", Family::torchvision, 2048, 25557032},
    {"resnet101", Family::torchvision, 2048, 44549160},
    {"resnet152", Family::torchvision, 2048, 60192808},
    {"resnet50", Family::keras, 2048, 25636712},
    {"resnet101", Family::keras, 2048, 44707176},
    {"resnet152", Family::keras, 2048, 60419944},
    {"inception_v3", Family::torchvision, 2048, 23834568},
    {"inception_v3", Family::keras, 2048, 23851784},
    {"inception_v2", Family::caffe, 1024, 11295240},
    {"vgg11", Family::torchvision, 4096, 132863336},
    {"vgg13", Family::torchvision, 4096, 133047848},
    {"vgg16", Family::torchvision, 4096, 138357544},
    {"vgg19", Family::torchvision, 4096, 143667240},
    {"vgg11_bn", Family::torchvision, 4096, 132868840},
    {"vgg13_bn", Family::torchvision, 4096, 133053736},
    {"vgg16_bn", Family::torchvision, 4096, 138365992},
    {"vgg19_bn", Family::torchvision, 4096, 143678248},
    {"vgg16", Family::keras, 4096, 138357544},
    {"vgg19", Family::keras, 4096, 143667240},
};

}  // namespace

TEST_CASE("models: as many parameters as published, and the penultimate layer is the features") {
  for (const Published& p : kPublished) {
    CAPTURE(p.model);
    CAPTURE(name(p.family));
    const Recorded r(p.model, family_dialect(p.family, p.model), 1000);
    CHECK(r.count(Source::param) + (p.family == Family::keras ? r.count(Source::state) : 0) == p.trained);
    CHECK(r.outputs.features.shape() == Shape{1, 1, 1, p.features});
  }
}

TEST_CASE("models: the registry's top layer gives the scores; a trunk has none") {
  for (const std::string_view model : model_names()) {
    CAPTURE(model);
    const ModelInfo& info = find_model(model);
    const Dialect dialect = family_dialect(info.family, model);
    const std::string top = std::string(info.top) + ".weight";
    Recorded whole(model, dialect, 5), trunk(model, dialect, 0);
    CHECK(whole.has(top));
    CHECK(whole.outputs.logits.shape() == Shape{1, 1, 1, 5});
    CHECK_FALSE(trunk.has(top));
    CHECK_FALSE(trunk.outputs.logits);
    CHECK(trunk.graph.named("features") == trunk.outputs.features);
    CHECK(trunk.graph.named("pool").shape().rows() == 1);
  }
  CHECK_THROWS_AS(find_model("lenet"), UsageError);
}

TEST_CASE("models: a ResNet's stride lies in the first 1x1 convolution (v1) or in the 3x3 (v1.5)") {
  const auto stride = [](const Recorded& r, const char* layer) {
    for (int id = 0; id < r.graph.size(); ++id)
      if (const auto* conv = r.graph.node(id).as<Conv2d>(); conv != nullptr && r.graph.node(id).name == layer)
        return conv->stride_h;
    return 0;
  };
  const Recorded v1("resnet50", keras_dialect("resnet50"), 0);
  CHECK(stride(v1, "layer2.0.conv1") == 2);
  CHECK(stride(v1, "layer2.0.conv2") == 1);
  const Recorded v15("resnet50", torchvision_dialect("resnet50"), 0);
  CHECK(stride(v15, "layer2.0.conv1") == 1);
  CHECK(stride(v15, "layer2.0.conv2") == 2);
}

TEST_CASE("models: a VGG has fully connected layers or the pool head") {
  Dialect dialect = keras_dialect("vgg16");
  Recorded fc("vgg16", dialect, 5);
  CHECK(fc.graph.source("classifier.0.weight").shape() == Shape{4096, 7, 7, 512});
  CHECK(fc.graph.named("block5_conv3").shape() == Shape{1, 14, 14, 512});
  dialect.head = Head::pool;
  Recorded pool("vgg16", dialect, 5);
  CHECK_FALSE(pool.has("classifier.0.weight"));
  CHECK(pool.graph.source("classifier.6.weight").shape() == Shape{5, 1, 1, 512});
  CHECK(pool.outputs.features == pool.graph.named("pool"));
}

TEST_CASE("models: dropout in training, where a network's family has it") {
  const auto dropouts = [](std::string_view model, const Dialect& dialect) {
    Graph g;
    NetOptions options = net_options(dialect);
    options.mode = Mode::train;
    const Value x = g.input("x", {{2, dialect.height, dialect.width, dialect.channels}, DType::f32});
    find_model(model).build(Net(g, options), x, dialect, 5);
    int count = 0;
    for (int id = 0; id < g.size(); ++id)
      if (g.node(id).as<Dropout>() != nullptr) ++count;
    return count;
  };
  CHECK(dropouts("vgg11", torchvision_dialect("vgg11")) == 2);
  CHECK(dropouts("vgg16", keras_dialect("vgg16")) == 0);
  CHECK(dropouts("merged_view", keras_dialect("merged_view")) == 5);
  CHECK(dropouts("inception_v3", torchvision_dialect("inception_v3")) == 1);
  CHECK(dropouts("inception_v2", caffe_dialect("inception_v2")) == 0);
}

TEST_CASE("models: the merged view takes any size") {
  Dialect dialect = keras_dialect("merged_view");
  const Recorded paper("merged_view", dialect, 22);
  CHECK(paper.graph.source("fc1.weight").shape() == Shape{256, 13, 17, 64});
  CHECK(paper.count(Source::param) == 3793750);
  dialect.height = 140;
  dialect.width = 170;
  CHECK(Recorded("merged_view", dialect, 3).graph.source("fc1.weight").shape() == Shape{256, 5, 6, 64});
}

}  // namespace xf::test
