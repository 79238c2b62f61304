// Operands that do not go together are refused with a message that names the layer, the operation and the
// shapes.

#include "engine/graph/infer.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"

namespace xf {
namespace {

struct Refused {
  const char* what;
  OpAttributes op;
  std::vector<Shape> in;  ///< a shape of no elements: absent
};

constexpr Shape kAbsent{0, 0, 0, 0};

Conv2d conv(int kh, int kw, Padding pad = {}) { return {kh, kw, 1, 1, pad, Activation::none}; }

Pool pool(int kernel, Padding pad) {
  return {PoolKind::max, kernel, kernel, 2, 2, pad, CountPadding::no, 0, 0};
}

const std::vector<Refused>& refused() {
  static const Shape map{2, 8, 8, 16}, c = vector_shape(16);
  static const std::vector<Refused> list{
      {"weights of other channels", conv(3, 3), {map, {32, 3, 3, 8}}},
      {"weights of another window", conv(1, 7), {map, {32, 7, 1, 16}}},
      {"a window larger than the map", conv(9, 9), {map, {32, 9, 9, 16}}},
      {"a bias of other length", conv(1, 1), {map, {32, 1, 1, 16}, c}},
      {"a residual of another shape", conv(1, 1), {map, {32, 1, 1, 16}, kAbsent, map}},
      {"no weights", conv(1, 1), {map, kAbsent}},
      {"a gradient of other channels", ConvBwdData{conv(1, 1), map}, {{2, 8, 8, 32}, {16, 1, 1, 16}}},
      {"another batch", ConvBwdWeights{conv(1, 1), {32, 1, 1, 16}}, {map, {3, 8, 8, 32}}},
      {"beta of other length", BnAct{}, {map, c, vector_shape(8), c, c}},
      {"no running mean", BnAct{}, {map, c, c, kAbsent, c}},
      {"a residual of another shape", BnAct{}, {map, c, c, c, c, {2, 4, 8, 16}}},
      {"batch statistics of one position", BnAct{}, {{1, 1, 1, 16}, c, c, c, c}},
      {"no output where the activation needs it",
       BnActBwd{{1e-5F, 0.1F, BnMode::batch, Activation::relu}},
       {map, map, kAbsent, c, c, c}},
      {"padding as large as the window", pool(2, {2, 0, 0, 0}), {map}},
      {"a window larger than the map", pool(9, {}), {map}},
      {"no argmax", PoolBwd{pool(2, {}), map}, {{2, 4, 4, 16}, kAbsent}},
      {"another input", GlobalAvgPoolBwd{map, DType::f32}, {{2, 1, 1, 8}}},
      {"weights of other length", Dense{}, {map, {10, 1, 1, 16}}},
      {"a bias of other length", Dense{}, {{2, 1, 1, 16}, {10, 1, 1, 16}, c}},
      {"a bias of other length", Bias{}, {map, vector_shape(3)}},
      {"an output of another shape", ActBwd{}, {map, {2, 8, 8, 8}}},
      {"one operand", Add{}, {map}},
      {"operands of different shapes", Add{}, {map, {2, 8, 8, 8}}},
      {"maps of different size", Concat{}, {map, {2, 4, 8, 16}}},
      {"channels that are not there", Slice{10, 7}, {map}},
      {"a rate of one", Dropout{1.0F, 0}, {vector_shape(sizeof(StepParams)), map}},
      {"labels of another batch", SoftmaxXent{}, {{2, 1, 1, 5}, {3, 1, 1, 1}, {2, 1, 1, 1}}},
      {"logits of a map", SoftmaxXent{}, {map, {2, 1, 1, 1}, {2, 1, 1, 1}}},
      {"class weights of other length",
       SoftmaxXent{},
       {{2, 1, 1, 5}, {2, 1, 1, 1}, {2, 1, 1, 1}, vector_shape(4)}},
      {"mean of other length", FoldBn{}, {{16, 1, 1, 3}, c, c, vector_shape(3), c}},
      {"five channels", Normalize{}, {{2, 8, 8, 5}}},
      {"a sum without its gradient", Accumulate{}, {vector_shape(sizeof(StepParams)), c}},
      {"a gradient of another shape", Accumulate{}, {vector_shape(sizeof(StepParams)), c, map}},
  };
  return list;
}

}  // namespace

TEST_CASE("infer: operands that do not go together") {
  for (const Refused& r : refused()) {
    CAPTURE(op_name(r.op));
    CAPTURE(r.what);
    Graph g;
    std::vector<Value> in;
    std::vector<Shape> there;
    for (const Shape& s : r.in) {
      in.push_back(s == kAbsent ? Value{} : g.input("", {s, DType::f32}));
      if (s != kAbsent) there.push_back(s);
    }
    g.set_scope("layer3.1.conv2");
    const int before = g.size();
    try {
      g.add(r.op, in);
      FAIL_CHECK("no error");
    } catch (const ShapeError& e) {
      const std::string text = e.what();
      CHECK(text.find("layer3.1.conv2") != std::string::npos);
      CHECK(text.find(op_name(r.op)) != std::string::npos);
      for (const Shape& s : there) CHECK_MESSAGE(text.find(to_string(s)) != std::string::npos, text);
      CHECK(e.shapes() == there);
    }
    CHECK(g.size() == before);  // nothing half recorded
  }
}

TEST_CASE("infer: the extent of a window") {
  CHECK(window_extent(299, 3, 2, 0, 0) == 149);
  CHECK(window_extent(224, 7, 2, 3, 3) == 112);
  CHECK(window_extent(8, 3, 2, 0, 1) == 4);
  CHECK(window_extent(1, 1, 3, 0, 0) == 1);
}

}  // namespace xf
