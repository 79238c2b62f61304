#include "engine/train/train_graph.h"

#include <map>

#include "engine/autograd/gradients.h"
#include "engine/core/error.h"

namespace xf {

OptimizerKind parse_optimizer(std::string_view text) {
  for (const OptimizerKind k :
       {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::adadelta})
    if (text == name(k)) return k;
  throw UsageError("--optimizer " + std::string(text), "is not an optimizer",
                   "choose one of: sgd, adam, adamw, adadelta");
}

std::string_view name(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::sgd: return "sgd";
    case OptimizerKind::adam: return "adam";
    case OptimizerKind::adamw: return "adamw";
    case OptimizerKind::adadelta: return "adadelta";
  }
  return "?";
}

namespace {

Value record_loss(Graph& g, const NetworkSpec& spec, int64_t batch, const LossOptions& options) {
  NetOptions net = spec.net;
  net.mode = Mode::train;
  const Value x = record_input(g, spec, batch, InputKind::images);
  const Value logits = spec.build(Net(g, net), x).logits;
  const Shape each{batch, 1, 1, 1};
  const Value labels = g.input("labels", {each, DType::i32});
  const Value weights = g.input("image_weights", {each, DType::f32});
  const Value classes = options.class_weights ? g.state("class_weights", vector_shape(logits.shape().c),
                                                        {InitKind::constant, 1, 1, 1})
                                              : Value{};
  g.set_scope("loss");
  return g.add(SoftmaxXent{options.label_smoothing}, {logits, labels, weights, classes});
}

/// The gradients' running sums where a step has several micro-batches; the gradients themselves otherwise.
std::vector<Value> accumulated(Graph& g, const std::vector<Value>& params, std::vector<Value> gradients,
                               int count) {
  if (count == 1) return gradients;
  std::vector<Value> inputs{g.step()}, sums;
  for (size_t i = 0; i < params.size(); ++i) {
    sums.push_back(g.state("sum/" + g.node(params[i]).name, params[i].shape(), {}));
    inputs.insert(inputs.end(), {sums.back(), gradients[i]});
  }
  g.set_scope("accumulate");
  const Value total = g.add(Accumulate{}, std::move(inputs));
  for (size_t i = 0; i < params.size(); ++i) {
    gradients[i] = Graph::output(total, static_cast<int>(i));
    g.update(sums[i], gradients[i]);
  }
  return gradients;
}

/// Builds the operands of Optimize, tensor by tensor.
class UpdateRecorder {
 public:
  UpdateRecorder(Graph& g, const UpdateOptions& options) : g_(g), rule_(options.rule), inputs_{g.step()} {
    rule_.tensors.clear();
  }

  void parameter(Value p, Value gradient, const TensorRule& tensor) {
    const std::string name = g_.node(p).name;
    const int count = moments(rule_);
    const Value m1 = count > 0 ? g_.state("moment1/" + name, p.shape(), {}) : Value{};
    const Value m2 = count > 1 ? g_.state("moment2/" + name, p.shape(), {}) : Value{};
    add(p, gradient, m1, m2, average(name, p.shape()), tensor, p);
  }

  /// A state that only joins the averages: `value` is what it becomes in this step.
  void averaged(Value state, Value value) {
    if (rule_.ema_decay > 0) add(value, {}, {}, {}, average(g_.node(state).name, state.shape()), {}, {});
  }

  Value record(Value loss_scale) {
    g_.set_scope("optimizer");
    inputs_.push_back(loss_scale);
    if (loss_scale) updates_.emplace_back(loss_scale_output(), loss_scale);
    const Value first = g_.add(rule_, inputs_);
    for (const auto& [output, state] : updates_) g_.update(state, Graph::output(first, output));
    return first;
  }

  [[nodiscard]] int loss_scale_output() const { return 2 + 4 * static_cast<int>(rule_.tensors.size()); }

 private:
  Value average(const std::string& name, Shape shape) {
    return rule_.ema_decay > 0 ? g_.state("ema/" + name, shape, {}) : Value{};
  }

  void add(Value p, Value gradient, Value m1, Value m2, Value mean, const TensorRule& tensor, Value updated) {
    const int first = 2 + 4 * static_cast<int>(rule_.tensors.size());
    rule_.tensors.push_back(tensor);
    inputs_.insert(inputs_.end(), {p, gradient, m1, m2, mean});
    int output = first;
    for (const Value& state : {updated, m1, m2, mean}) {
      if (state) updates_.emplace_back(output, state);
      ++output;
    }
  }

  Graph& g_;
  Optimize rule_;
  std::vector<Value> inputs_;
  std::vector<std::pair<int, Value>> updates_;
};

}  // namespace

TrainGraph record_training(const NetworkSpec& spec, int64_t batch, const UpdateOptions& update,
                           const LossOptions& loss_options) {
  TrainGraph t{std::make_unique<Graph>(), {}};
  Graph& g = *t.graph;
  const Value loss = record_loss(g, spec, batch, loss_options);
  const std::vector<Update> batch_norm = g.updates();

  std::vector<Value> params;
  for (const Value& p : g.sources(Source::param))
    if (g.node(p).trainable) params.push_back(p);
  if (params.empty())
    throw UsageError("--freeze", "freezes every parameter", "leave at least the last layer to train");

  // The mean over the micro-batches of a step.
  const float share = 1.0F / static_cast<float>(update.accumulate);
  Value loss_scale, seed;
  if (update.loss_scaling) {
    loss_scale = g.state("loss_scale", {1, 1, 1, 2}, {});
    g.set_scope("loss");
    seed = g.add(LossSeed{share}, {loss_scale});
  } else {
    seed = g.constant({{1, 1, 1, 1}, DType::f32}, share);
  }
  const std::vector<Value> gradient =
      accumulated(g, params, gradients(loss, params, seed), update.accumulate);

  UpdateRecorder recorder(g, update);
  for (size_t i = 0; i < params.size(); ++i) {
    const std::string& name = g.node(params[i]).name;
    const bool is_weight = params[i].shape().n > 1 || params[i].shape().rows() > 1;
    recorder.parameter(params[i], gradient[i],
                       {name.rfind(spec.head, 0) == 0 ? kHead : kTrunk,
                        is_weight ? static_cast<float>(update.weight_decay) : 0.0F});
  }
  for (const Update& u : batch_norm) recorder.averaged(u.state, u.value);
  const Value norm = recorder.record(loss_scale);
  t.keep = {loss, Graph::output(loss, 2), norm, Graph::output(norm, 1)};
  if (loss_scale) t.keep.push_back(Graph::output(norm, recorder.loss_scale_output()));
  return t;
}

}  // namespace xf
