#include "engine/graph/net.h"

#include <doctest/doctest.h>

namespace xf {
namespace {

/// A unit below the scope "layer1" of a network with these options.
struct OneUnit {
  explicit OneUnit(const NetOptions& options) {
    const Value x = graph.input("x", {{2, 8, 8, 3}, DType::f32});
    y = Net(graph, options).in("layer1").unit(x, {"branch", 5, 3, 2});
  }
  [[nodiscard]] BnMode mode() const { return graph.node(y).as<BnAct>()->mode; }
  [[nodiscard]] bool trained(const char* name) const { return graph.node(graph.source(name)).trainable; }
  Graph graph;
  Value y;
};

}  // namespace

TEST_CASE("net: names are dotted paths, shapes are OHWI") {
  const OneUnit u({});
  std::vector<std::string> names;
  for (const Source kind : {Source::param, Source::state})
    for (const Value& v : u.graph.sources(kind)) names.push_back(u.graph.node(v).name);
  CHECK(names == std::vector<std::string>{"layer1.branch.conv.weight", "layer1.branch.bn.weight",
                                          "layer1.branch.bn.bias", "layer1.branch.bn.running_mean",
                                          "layer1.branch.bn.running_var"});
  CHECK(u.graph.source("layer1.branch.conv.weight").shape() == Shape{5, 3, 3, 3});
  CHECK(u.y.shape() == Shape{2, 4, 4, 5});
  CHECK(u.graph.node(u.y).name == "layer1.branch.bn");
}

TEST_CASE(
    "net: training normalises with the batch and moves the running statistics; inference does neither") {
  NetOptions options;
  CHECK(OneUnit(options).mode() == BnMode::running);
  CHECK(OneUnit(options).graph.updates().empty());
  options.mode = Mode::train;
  const OneUnit trained(options);
  CHECK(trained.mode() == BnMode::batch);
  CHECK(trained.graph.updates().size() == 2);
}

TEST_CASE("net: a frozen normalisation uses the running statistics; a half frozen one trains") {
  NetOptions options;
  options.mode = Mode::train;
  options.freeze = {"layer1.*"};
  const OneUnit frozen(options);
  CHECK(frozen.mode() == BnMode::running);
  CHECK(frozen.graph.updates().empty());
  CHECK_FALSE(frozen.trained("layer1.branch.conv.weight"));
  options.freeze = {"*.bn.weight"};
  const OneUnit half(options);
  CHECK(half.mode() == BnMode::batch);
  CHECK_FALSE(half.trained("layer1.branch.bn.weight"));
  CHECK(half.trained("layer1.branch.bn.bias"));
}

TEST_CASE("net: options of a dialect") {
  NetOptions options;
  options.bn_gamma = HasGamma::no;
  options.conv_bias = HasBias::yes;
  options.bn_eps = 1e-3F;
  const OneUnit u(options);
  CHECK_FALSE(u.graph.source("layer1.branch.bn.weight"));
  CHECK(u.graph.source("layer1.branch.conv.bias"));
  CHECK(u.graph.node(u.y).as<BnAct>()->eps == 1e-3F);
}

TEST_CASE("net: pools rounded up as torch's ceil_mode does") {
  struct Case {
    int64_t in;
    int kernel, stride;
    Pad pad;
    int64_t out;
    int extra;
  };
  // Outputs of torch.nn.MaxPool2d(kernel, stride, kernel / 2 or 0, ceil_mode=True).
  for (const Case& c :
       {Case{112, 3, 2, Pad::valid, 56, 1}, Case{56, 3, 2, Pad::valid, 28, 1},
        Case{28, 3, 1, Pad::half, 28, 0}, Case{7, 3, 2, Pad::valid, 3, 0}, Case{8, 3, 2, Pad::half, 5, 1},
        Case{5, 2, 3, Pad::valid, 2, 0}, Case{6, 2, 3, Pad::half, 3, 0}, Case{4, 2, 3, Pad::valid, 2, 1},
        Case{3, 2, 4, Pad::valid, 1, 0}}) {
    CAPTURE(c.in);
    CAPTURE(c.kernel);
    Graph g;
    NetOptions options;
    options.pool_rounding = PoolRounding::ceil;
    const Value y =
        Net(g, options)
            .max_pool(g.input("x", {{1, c.in, c.in + 1, 3}, DType::f32}), c.kernel, c.stride, c.pad);
    CHECK(y.shape().h == c.out);
    CHECK(g.node(y).as<Pool>()->ceil_extra_h == c.extra);
  }
}

TEST_CASE("net: dropout is there in training alone") {
  Graph g;
  NetOptions options;
  const Value x = g.input("x", {{2, 1, 1, 3}, DType::f32});
  CHECK(Net(g, options).dropout(x, 0.5F) == x);
  options.mode = Mode::train;
  CHECK(Net(g, options).dropout(x, 0) == x);
  const Value a = Net(g, options).dropout(x, 0.5F), b = Net(g, options).dropout(x, 0.5F);
  CHECK(g.node(a).as<Dropout>()->stream != g.node(b).as<Dropout>()->stream);
}

}  // namespace xf
