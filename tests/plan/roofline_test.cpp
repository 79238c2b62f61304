// The roofline's arithmetic and bytes, counted by hand, and against what the literature says of whole
// networks.

#include "engine/plan/roofline.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "engine/plan/passes.h"
#include "engine/train/inference.h"
#include "engine/train/train_graph.h"
#include "tests/models/model_spec.h"

namespace xf::test {
namespace {

/// A device on which a byte takes a microsecond, and an operation of each type another time.
Gpu slow_gpu() { return {"slow", 1e6, 1e6, 2e6, 4e6, 8e6}; }

/// All outputs are needed.
Work work_of_all(const Value& v) {
  const Node& n = v.graph().node(v);
  std::vector<Value> operands = n.inputs;
  for (int o = 0; o < static_cast<int>(n.outputs.size()); ++o) operands.push_back(Graph::output(v, o));
  return work_of(n, operands);
}

/// Multiplications of the convolutions and dense layers, for one image.
double forward_products(const std::string& model, Family family) {
  InferenceOptions options;
  options.batch = 1;
  const InferenceGraph g = record_inference(spec_of(model, family_dialect(family, model), 1000), options);
  const Program program = rewrite(*g.graph, g.keep, Precision::f32);
  const Estimate e = estimate(program, slow_gpu(), Precision::f32, 1);
  double flops = 0;
  for (const EstimatedKind& kind : by_kind(program, e))
    if (kind.op == "conv2d" || kind.op == "dense") flops += kind.flops;
  return flops / 2;
}

/// One padded convolution, batch normalisation, a classifier and its loss.
ModelOutputs small_network(const Net& n, Value x) {
  const Value y = n.bn(n.conv(x, "conv", 4, 3), "bn", Activation::relu);
  const Value features = n.global_avg_pool(y);
  return {features, n.dense(features, "fc", 5)};
}

const EstimatedOp& only(const Program& program, const Estimate& e, std::string_view op) {
  const EstimatedOp* found = nullptr;
  for (const EstimatedOp& each : e.ops)
    if (op_name(program.graph->node(each.node).op) == op) {
      REQUIRE(found == nullptr);
      found = &each;
    }
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("roofline: a convolution in each direction") {
  Graph g;
  const Value x = g.input("x", {{2, 8, 6, 5}, DType::f32});
  const Value w = g.param("w", {7, 3, 3, 5}, {});
  const Conv2d conv{3, 3, 2, 2, {1, 1, 1, 1}, Activation::none};
  const Value y = g.add(conv, {x, w});
  REQUIRE(y.shape() == Shape{2, 4, 3, 7});
  const double products = 2.0 * (2 * 4 * 3) * (7 * 3 * 3 * 5);
  const double x_bytes = 4 * 480, w_bytes = 4 * 315, y_bytes = 4 * 168;
  for (const Value& v :
       {y, g.add(ConvBwdData{conv, x.shape()}, {y, w}), g.add(ConvBwdWeights{conv, w.shape()}, {x, y})}) {
    CHECK(work_of_all(v).flops == products);
    CHECK(work_of_all(v).bytes == x_bytes + w_bytes + y_bytes);
  }
}

TEST_CASE("roofline: a stride beyond the kernel reads only what it needs; a residual is an operand") {
  Graph g;
  const Value x = g.input("x", {{1, 9, 7, 16}, DType::f32});
  const Value w = g.param("w", {3, 1, 1, 16}, {});
  const Conv2d conv{1, 1, 2, 2, {}, Activation::relu};
  const Value y = g.add(conv, {x, w});
  REQUIRE(y.shape() == Shape{1, 5, 4, 3});
  const double read = 4 * 5 * 4 * 16, w_bytes = 4 * 3 * 16, y_bytes = 4 * 5 * 4 * 3;
  CHECK(work_of_all(y).bytes == read + w_bytes + y_bytes);
  CHECK(work_of_all(g.add(ConvBwdWeights{conv, w.shape()}, {x, y})).bytes == read + y_bytes + w_bytes);
  CHECK(work_of_all(g.add(ConvBwdData{conv, x.shape()}, {y, w})).bytes == y_bytes + w_bytes + 4 * 9 * 7 * 16);
  CHECK(work_of_all(g.add(conv, {x, w, Value{}, y})).bytes == read + w_bytes + 2 * y_bytes);
}

TEST_CASE("roofline: 16-bit types, absent outputs, operands that are one value") {
  Graph g;
  const Value x = g.input("x", {{1, 4, 4, 8}, DType::bf16});
  const Value w = g.param("w", {8, 1, 1, 8}, {});
  CHECK(work_of_all(g.add(Conv2d{}, {x, w})).bytes == 2 * (128 + 64 + 128));
  CHECK(work_of_all(g.add(ConvBwdWeights{{}, w.shape()}, {x, x})).bytes == 2 * 128 + 4 * 64);
  CHECK(work_of_all(g.add(Add{}, {x, x})).bytes == 2 * (128 + 128));
  CHECK(work_of_all(g.add(Add{}, {x, x})).flops == 128);
  const Value y = g.add(Pool{}, {x});
  CHECK(work_of_all(y).bytes == 2 * (128 + 32) + 32);
  CHECK(work_of(g.node(y), std::vector{x, y, Value{}}).bytes == 2 * (128 + 32));
  CHECK(work_of_all(y).flops == 32 * 4);
}

TEST_CASE("roofline: the slower of memory and arithmetic, in the type of the product") {
  Graph g;
  const Value w = g.param("w", {8, 1, 1, 8}, {});
  const Work arithmetic{80, 1}, memory{80, 1000};
  const auto conv = [&](DType type) -> const Node& {
    return g.node(g.add(Conv2d{}, {g.input(std::string(name(type)), {{1, 4, 4, 8}, type}), w}));
  };
  const Node &f32 = conv(DType::f32), &bf16 = conv(DType::bf16), &f16 = conv(DType::f16);
  const auto seconds = [&](const Node& n, Precision p) { return roof(slow_gpu(), p, n, arithmetic).seconds; };
  CHECK(seconds(f32, Precision::f32) == doctest::Approx(80e-6));
  CHECK(seconds(f32, Precision::bf16) == doctest::Approx(80e-6));
  CHECK(seconds(f32, Precision::tf32) == doctest::Approx(40e-6));
  CHECK(seconds(bf16, Precision::bf16) == doctest::Approx(20e-6));
  CHECK(seconds(f16, Precision::f16) == doctest::Approx(10e-6));
  const Node& add = g.node(g.add(Add{}, {w, w}));
  CHECK(seconds(add, Precision::tf32) == doctest::Approx(80e-6));
  CHECK(roof(slow_gpu(), Precision::f32, f32, arithmetic).bound == Bound::arithmetic);
  CHECK(roof(slow_gpu(), Precision::f32, f32, memory).bound == Bound::memory);
  CHECK(roof(slow_gpu(), Precision::f32, f32, memory).seconds == doctest::Approx(1e-3));
}

TEST_CASE("roofline: a training step, operation by operation") {
  constexpr int64_t kBatch = 3, kPixels = kBatch * 6 * 6;
  NetworkSpec spec;
  spec.build = small_network;
  spec.height = spec.width = 6;
  UpdateOptions update;
  update.accumulate = 2;
  const TrainGraph t = record_training(spec, kBatch, update, {});
  const Program program = rewrite(*t.graph, t.keep, Precision::bf16);
  const Estimate e = estimate(program, slow_gpu(), Precision::bf16, 2);
  const auto work = [&](std::string_view op) { return only(program, e, op).work; };

  CHECK(work("normalize").bytes == kPixels * 3 * (1 + 2));
  CHECK(work("conv2d").flops == 2.0 * kPixels * 4 * 27);
  CHECK(work("conv2d").bytes == 2 * (kPixels * 3 + 4 * 27 + kPixels * 4));
  CHECK(work("conv2d_bwd_weights").bytes == 2 * (kPixels * 3 + kPixels * 4) + 4 * (4 * 27));
  // x, gamma, beta, two running statistics → y, mean, inv_std, two running statistics.
  CHECK(work("bn_act").bytes == 2 * (2 * kPixels * 4) + 4 * 8 * 4);
  CHECK(work("bn_act").flops == kPixels * 4 * (3 + 2 + 1));
  // dy, x, gamma, mean, inv_std, beta → dx, dgamma, dbeta; the rectifier's sign follows from x.
  CHECK(work("bn_act_bwd").bytes == 2 * (3 * kPixels * 4) + 4 * 6 * 4);
  CHECK(work("dense").flops == 2.0 * kBatch * 4 * 5);
  // parameters 4*27 + 4 + 4 + 4*5 + 5, their sums of gradients and momentum; norm, finite, StepParams.
  constexpr double kParameters = 141;
  CHECK(work("optimize").bytes == 4 * 5 * kParameters + 2 * 4 + sizeof(StepParams));
  CHECK(work("accumulate").bytes == 4 * 3 * kParameters + sizeof(StepParams));
  CHECK(only(program, e, "optimize").runs == 1);
  CHECK(only(program, e, "conv2d").runs == 2);

  double seconds = 0, of_kinds = 0;
  Work all;
  for (const EstimatedOp& op : e.ops) seconds += op.runs * op.roof.seconds;
  for (const EstimatedKind& kind : by_kind(program, e)) {
    of_kinds += kind.seconds;
    all.flops += kind.flops;
    all.bytes += kind.bytes;
    CHECK(kind.memory_seconds <= kind.seconds);
  }
  CHECK(e.seconds == doctest::Approx(seconds));
  CHECK(of_kinds == doctest::Approx(seconds));
  CHECK(e.work.flops == all.flops);
  CHECK(e.work.bytes == all.bytes);
}

TEST_CASE("roofline: the networks' forward passes have the multiplications that torchvision tells") {
  const auto billions = [](double n) { return std::round(n / 1e6) / 1e3; };
  CHECK(billions(forward_products("resnet50", Family::torchvision)) == 4.089);
  CHECK(billions(forward_products("resnet18", Family::torchvision)) == 1.814);
  CHECK(billions(forward_products("inception_v3", Family::torchvision)) == 5.713);
}

TEST_CASE("roofline: every word for a GPU names one, with faster products in smaller types") {
  for (const std::string_view word : gpu_words()) {
    const Gpu* gpu = find_gpu(word);
    REQUIRE(gpu != nullptr);
    CHECK(gpu->bytes > 1e12);
    CHECK(gpu->f32 <= gpu->tf32);
    CHECK(2 * gpu->tf32 == doctest::Approx(gpu->bf16));
    CHECK(gpu->bf16 == gpu->f16);
  }
  CHECK(find_gpu("voodoo2") == nullptr);
}

}  // namespace xf::test
