// Compiled plans against the fp64 references, evaluated node by node on the graph as it was recorded:
// whatever the passes, the arena and the executor do, the numbers that come out must be those.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/run/executor.h"
#include "engine/train/inference.h"
#include "engine/train/train_graph.h"
#include "tests/ops/backends.h"
#include "tests/ops/reference/reference.h"
#include "tests/support/small_networks.h"

namespace xf::test {
namespace {

constexpr int64_t kBatch = 5, kClasses = kSmallClasses;
constexpr int kSize = 15;

NetworkSpec network(std::vector<std::string> freeze = {}) {
  NetworkSpec spec;
  spec.build = small_inception;
  spec.net.freeze = std::move(freeze);
  spec.height = spec.width = kSize;
  return spec;
}

/// Numbers for every tensor that a plan reads: small weights, positive variances and squares.
Tensor random_tensor(const std::string& name, const Spec& spec, uint64_t stream) {
  Tensor t(spec.shape, spec.dtype);
  Rng rng(3, stream);
  const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (spec.dtype == DType::u8)
    for (uint8_t& v : t.as<uint8_t>()) v = static_cast<uint8_t>(rng.below(256));
  else if (spec.dtype == DType::i32)
    for (int32_t& v : t.as<int32_t>()) v = static_cast<int32_t>(rng.below(kClasses));
  else
    for (float& v : t.as<float>())
      v = static_cast<float>(is("running_var") || is("moment2") || is("_weights") ? rng.uniform(0.2, 1)
                                                                                  : 0.3 * rng.normal());
  return t;
}

Array numbers_of(const Tensor& t) {
  Array a(t.shape());
  const auto copy = [&](auto span) { std::copy(span.begin(), span.end(), a.value.begin()); };
  if (t.dtype() == DType::u8)
    copy(t.as<uint8_t>());
  else if (t.dtype() == DType::i32)
    copy(t.as<int32_t>());
  else
    copy(t.as<float>());
  return a;
}

/// Reference values of `wanted`, with `error` as rounding in every operation moves them: four times the
/// median of nine evaluations with random errors, of the largest movement in the tensor. The median, for
/// where one of them carries the input of a rectifier past zero, the gradients behind it jump.
std::map<Value, Array> expected_of(const Graph& graph, const std::map<Value, Array>& sources,
                                   const std::vector<Value>& wanted, DType stored_as = DType::f32) {
  constexpr size_t kTrials = 9;
  std::map<Value, Array> expected = evaluate(graph, sources, wanted);
  std::map<Value, std::vector<double>> moved;
  for (uint64_t k = 0; k < kTrials; ++k) {
    Noise noise{Rng(17, k), stored_as};
    for (const auto& [v, a] : evaluate(graph, sources, wanted, &noise)) {
      double most = 0;
      for (int64_t i = 0; i < a.count(); ++i) most = std::max(most, std::abs(a[i] - expected.at(v)[i]));
      moved[v].push_back(most);
    }
  }
  for (auto& [v, a] : expected) {
    std::sort(moved[v].begin(), moved[v].end());
    a.error.assign(a.value.size(), 4 * moved[v][kTrials / 2]);
  }
  return expected;
}

void check_close(const std::string& name, const Tensor& got, const Array& expected) {
  REQUIRE(got.shape() == expected.shape);
  const auto numbers = got.as<float>();
  double worst = 0;
  for (int64_t i = 0; i < expected.count(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(numbers[static_cast<size_t>(i)]) - expected[i]));
  CHECK_MESSAGE(worst <= expected.error[0], name, " is off by ", worst, ", where rounding explains ",
                expected.error[0]);
}

/// A model's memory, with numbers in every tensor, and the same numbers for the references.
struct Model {
  explicit Model(Backend& b, const Graph& graph) : backend(b), store(b), memory(b) {
    store.declare(graph);
    for (const Source kind : {Source::param, Source::state})
      for (const Value& v : graph.sources(kind)) {
        const std::string& name = graph.node(v).name;
        store.set(name, random_tensor(name, v.spec(), sources.size()));
        sources[v] = numbers_of(store.get(name));
      }
    for (const Value& v : graph.sources(Source::input)) {
      const std::string& name = graph.node(v).name;
      inputs.emplace(name, random_tensor(name, v.spec(), sources.size()));
      sources[v] = numbers_of(inputs.at(name));
    }
    for (const Value& v : graph.sources(Source::step)) sources[v] = to_array(step);
  }
  Executor bind(Plan plan) {
    Executor executor(std::move(plan), backend, store, memory);
    for (const auto& [name, value] : inputs) executor.write(name, value);
    executor.params() = step;
    return executor;
  }

  /// What a micro-batch that is not the last of its update leaves, by the references: sums of gradients and
  /// running statistics. The next one drops other numbers.
  void next_micro_batch(const Graph& graph) {
    std::vector<Value> values;
    std::vector<Value> states;
    for (const Update& u : graph.updates())
      if (graph.node(u.value).as<Optimize>() == nullptr) {
        values.push_back(u.value);
        states.push_back(u.state);
      }
    const std::map<Value, Array> now = evaluate(graph, sources, values);
    for (size_t i = 0; i < states.size(); ++i) sources[states[i]].value = now.at(values[i]).value;
    ++step.micro_batch;
    ++step.counter;
    for (const Value& v : graph.sources(Source::step)) sources[v] = to_array(step);
  }

  Backend& backend;
  ParamStore store;
  ActivationMemory memory;
  std::map<Value, Array> sources;
  std::map<std::string, Tensor> inputs;
  StepParams step = [] {
    StepParams s;
    s.learning_rate = {0.05F, 0.2F, 0, 0};
    s.update = 3;
    s.counter = 9;
    s.seed = 77;
    return s;
  }();
};

/// One update, of one micro-batch or more: every state and parameter that it changes, and what it returns.
void check_training(const NetworkSpec& spec, const UpdateOptions& update) {
  const TrainGraph t = record_training(spec, kBatch, update, {0.1F, true});
  std::vector<Value> wanted = t.keep;
  for (const Update& u : t.graph->updates()) wanted.push_back(u.value);
  for (const std::unique_ptr<Backend>& backend : backends(Determinism::fixed_threads)) {
    Model model(*backend, *t.graph);
    Executor executor = model.bind(compile(*t.graph, t.keep, {}, *backend));
    for (int micro_batch = 1; micro_batch < update.accumulate; ++micro_batch) {
      executor.run_batch();
      model.next_micro_batch(*t.graph);
      executor.params() = model.step;
    }
    const std::map<Value, Array> expected = expected_of(*t.graph, model.sources, wanted);
    executor.run_batch();
    executor.run_update();
    for (const Update& u : t.graph->updates()) {
      const std::string& name = t.graph->node(u.state).name;
      check_close(name, model.store.get(name), expected.at(u.value));
    }
    for (size_t i = 0; i < t.keep.size(); ++i)
      check_close("result " + std::to_string(i), executor.fetch(i), expected.at(t.keep[i]));
  }
}

}  // namespace

TEST_CASE("whole plan: a training step with momentum") {
  UpdateOptions update;
  update.rule.kind = OptimizerKind::sgd;
  update.weight_decay = 0.01;
  check_training(network(), update);
}

TEST_CASE("whole plan: a training step of every part: adamw, averages, clipping") {
  UpdateOptions update;
  update.rule.kind = OptimizerKind::adamw;
  update.rule.eps = 1e-2F;  // at 1e-8 the first step is the sign of the gradient, which rounding decides
  update.rule.ema_decay = 0.9F;
  update.rule.clip_norm = 0.1F;
  check_training(network(), update);
}

TEST_CASE("whole plan: an update of three micro-batches") {
  UpdateOptions update;
  update.rule.kind = OptimizerKind::sgd;
  update.accumulate = 3;
  check_training(network(), update);
}

TEST_CASE("whole plan: a training step behind frozen layers") {
  UpdateOptions update;
  update.rule.kind = OptimizerKind::sgd;
  update.rule.ema_decay = 0.9F;
  check_training(network({"stem.*", "block.*", "mixed.one.bn.*"}), update);
}

TEST_CASE("whole plan: inference, weights fixed and folded or not, in each type") {
  InferenceOptions options;
  options.batch = kBatch;
  options.results = {"probabilities"};
  const InferenceGraph g = record_inference(network(), options);
  for (const std::unique_ptr<Backend>& backend : backends(Determinism::fixed_threads)) {
    const Model numbers(*backend, *g.graph);
    for (const auto& [precision, type] :
         {std::pair(Precision::f32, DType::f32), {Precision::bf16, DType::bf16}}) {
      std::string why;
      if (!backend->supports(type, why)) {
        fmt::print("skipped: whole plan in {} on {}: {}\n", name(type), backend->name(), why);
        continue;
      }
      const std::map<Value, Array> expected = expected_of(*g.graph, numbers.sources, g.keep, type);
      for (const Weights weights : {Weights::fixed, Weights::changing}) {
        CompileOptions compile_options;
        compile_options.weights = weights;
        compile_options.precision = precision;
        Model model(*backend, *g.graph);
        Executor executor = model.bind(compile(*g.graph, g.keep, compile_options, *backend));
        executor.refresh();
        executor.run_batch();
        check_close("probabilities", executor.fetch(0), expected.at(g.keep[0]));
      }
    }
  }
}

}  // namespace xf::test
