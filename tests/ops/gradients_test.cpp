// Gradient rules, in fp64: every differentiable operation, and how they are put together.

#include "engine/autograd/gradients.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

#include "engine/core/error.h"
#include "engine/graph/grad.h"
#include "tests/ops/cases/cases.h"
#include "tests/ops/finite_differences.h"
#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

std::string check(const OpCase& c) {
  Graph graph;
  std::map<Value, Array> sources;
  std::vector<Value> in;
  const std::vector<Array> numbers = generate(c);
  for (size_t i = 0; i < c.in.size(); ++i) {
    in.push_back(c.in[i].fill ? graph.input(fmt::format("in{}", i), c.in[i].spec) : Value{});
    if (in.back()) sources.emplace(in.back(), numbers[i]);
  }
  std::vector<Value> wrt;
  for (const int i : c.differentiable) wrt.push_back(in[static_cast<size_t>(i)]);
  graph.set_scope(c.name);
  return check_gradients(graph.add(c.op, in), wrt, sources);
}

void check_all(const std::vector<OpCase>& cases) {
  for (const OpCase& c : cases) {
    if (c.differentiable.empty()) continue;
    const std::string wrong = check(c);
    CHECK_MESSAGE(wrong.empty(), op_name(c.op), " ", c.name, ": ", wrong);
  }
}

template <class Op>
concept HasRule = requires(Graph& g, Value v, const Op& op, GradSink& sink) {
  grad(g, v, op, v, sink);
};

/// Normal numbers for every input of the graph.
std::map<Value, Array> random_sources(const Graph& graph) {
  std::map<Value, Array> sources;
  for (const Source kind : {Source::input, Source::param, Source::state})
    for (const Value& v : graph.sources(kind)) {
      Array a(v.shape());
      Rng rng(11, sources.size());
      for (double& x : a.value) x = kind == Source::state ? rng.uniform(0.5, 2) : rng.normal();
      sources.emplace(v, std::move(a));
    }
  return sources;
}

Value conv_bn(Graph& g, Value x, const std::string& name, int64_t outputs, BnMode mode, Activation act,
              Value residual = {}) {
  const Value w = g.param(name + ".weight", {outputs, 3, 3, x.shape().c}, {});
  const Shape c = vector_shape(outputs);
  const Value y = g.add(Conv2d{3, 3, 1, 1, {1, 1, 1, 1}, Activation::none}, {x, w});
  return g.add(BnAct{1e-3F, 0.1F, mode, act},
               {y, g.param(name + ".gamma", c, {}), g.param(name + ".beta", c, {}),
                g.state(name + ".mean", c, {}), g.state(name + ".var", c, {}), residual});
}

}  // namespace

TEST_CASE("gradients: convolution") { check_all(conv_cases()); }
TEST_CASE("gradients: dense") { check_all(dense_cases()); }
TEST_CASE("gradients: batch normalisation") { check_all(bn_act_cases()); }
TEST_CASE("gradients: pooling") { check_all(pool_cases()); }
TEST_CASE("gradients: one number at a time") { check_all(elementwise_cases()); }
TEST_CASE("gradients: channels") { check_all(channel_cases()); }
TEST_CASE("gradients: cross-entropy") { check_all(softmax_cases()); }

TEST_CASE("gradients: every rule has a case") {
  std::set<std::string_view> covered;
  for (const OpCase& c : all_cases())
    if (!c.differentiable.empty()) covered.insert(op_name(c.op));
#define XF_OP(Name, text) CHECK_MESSAGE(HasRule<Name> == (covered.count(text) == 1), text);
#include "engine/graph/ops.def"
#undef XF_OP
}

TEST_CASE("gradients: a residual block with a frozen normalisation, pooled, classified") {
  Graph g;
  const Value x = g.input("x", {{3, 5, 4, 2}, DType::f32});
  const Value a = conv_bn(g, x, "a", 3, BnMode::batch, Activation::relu);
  const Value b = conv_bn(g, a, "b", 3, BnMode::running, Activation::relu, a);  // a is used twice
  const Value both = g.add(Concat{}, {a, b, a});
  const Value w = g.param("fc.weight", {4, 1, 1, 9}, {});
  const Value logits =
      g.add(Dense{}, {g.add(GlobalAvgPool{}, {both}), w, g.param("fc.bias", vector_shape(4), {})});
  const Value labels = g.input("labels", {{3, 1, 1, 1}, DType::i32});
  const Value loss =
      g.add(SoftmaxXent{0.1F}, {logits, labels, g.input("image_weights", {{3, 1, 1, 1}, DType::f32}), {}});
  std::map<Value, Array> sources = random_sources(g);
  sources.at(labels).value = {2, 0, 3};
  sources.at(g.source("image_weights")).value = {1, 0.5, 1};
  std::vector<Value> wrt = g.sources(Source::param);
  wrt.push_back(x);
  const std::string wrong = check_gradients(loss, wrt, sources);
  CHECK_MESSAGE(wrong.empty(), wrong);
}

TEST_CASE("gradients: of a map inside the graph") {
  // d loss / d map is what Grad-CAM asks for: the same as differentiating the rest of the graph alone.
  Graph g;
  const Value x = g.input("x", {{2, 4, 4, 3}, DType::f32});
  const Value map = g.add(Act{}, {x});
  const Value y = g.add(GlobalAvgPool{}, {g.add(Add{}, {map, map})});
  const std::vector<Value> wrt{map};
  const std::vector<Value> found = gradients(y, wrt);
  REQUIRE(found.size() == 1);
  CHECK(found[0].shape() == map.shape());
  const Array d = evaluate(g, random_sources(g), found).at(found[0]);
  for (const double v : d.value) CHECK(v == doctest::Approx(2.0 / 16));
}

TEST_CASE("gradients: what the result does not depend on has none, and costs nothing") {
  Graph g;
  const Value x = g.input("x", {{2, 1, 1, 3}, DType::f32});
  const Value used = g.param("used", {4, 1, 1, 3}, {}), unused = g.param("unused", vector_shape(4), {});
  const Value y = g.add(Dense{}, {x, used});
  g.add(Bias{}, {y, unused});
  const int before = g.size();
  const std::vector<Value> wrt{used, unused};
  const std::vector<Value> found = gradients(y, wrt);
  REQUIRE(found.size() == 2);
  CHECK(found[0]);
  CHECK_FALSE(found[1]);
  for (int i = before; i < g.size(); ++i) CHECK(g.node(i).as<DenseBwdData>() == nullptr);
}

TEST_CASE("gradients: a frozen branch is not walked") {
  Graph g;
  const Value x = g.input("x", {{2, 4, 4, 3}, DType::f32});
  const Value frozen = conv_bn(g, x, "frozen", 3, BnMode::running, Activation::relu);
  const Value y = conv_bn(g, frozen, "trained", 3, BnMode::batch, Activation::relu);
  const int before = g.size();
  const std::vector<Value> wrt{g.source("trained.weight")};
  REQUIRE(gradients(y, wrt)[0]);
  int data = 0, weights = 0;
  for (int i = before; i < g.size(); ++i) {
    data += g.node(i).as<ConvBwdData>() != nullptr;
    weights += g.node(i).as<ConvBwdWeights>() != nullptr;
  }
  CHECK(data == 0);
  CHECK(weights == 1);
}

TEST_CASE("gradients: an operation without a rule is named") {
  Graph g;
  const Value x = g.input("x", {{2, 1, 1, 3}, DType::f32});
  g.set_scope("head");
  const Value y = g.add(Softmax{}, {x});
  const std::vector<Value> wrt{x};
  try {
    gradients(y, wrt);
    FAIL("no error");
  } catch (const InternalError& e) {
    const std::string text = e.what();
    CHECK(text.find("head") != std::string::npos);
    CHECK(text.find("softmax") != std::string::npos);
  }
}

}  // namespace xf::test
