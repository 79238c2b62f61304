#include "engine/graph/graph.h"

#include <fmt/format.h>

#include <utility>

#include "engine/core/error.h"
#include "engine/graph/infer.h"

namespace xf {

std::string_view op_name(const OpAttributes& op) {
  struct Name {
#define XF_OP(Type, text) \
  std::string_view operator()(const Type&) const { return text; }
#include "engine/graph/ops.def"
#undef XF_OP
    std::string_view operator()(std::monostate) const { return "source"; }
  };
  return std::visit(Name{}, op);
}

int moments(const Optimize& o) {
  switch (o.kind) {
    case OptimizerKind::sgd: return o.momentum == 0 ? 0 : 1;
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
    case OptimizerKind::adadelta: return 2;
  }
  return 0;
}

const Spec& Value::spec() const { return graph_->node(node_).outputs[static_cast<size_t>(output_)]; }

Value Graph::add_source(Source kind, std::string name, Spec spec, Init init) {
  if (!name.empty() && sources_.count(name) != 0)
    throw InternalError(name, "two tensors of a graph have this name");
  Node node;
  node.source = kind;
  node.name = name;
  node.outputs = {spec};
  node.init = init;
  node.trainable = kind == Source::param;
  nodes_.push_back(std::move(node));
  const Value v(this, size() - 1, 0);
  if (!name.empty()) sources_.emplace(std::move(name), v);
  return v;
}

Value Graph::input(std::string name, Spec spec) {
  return add_source(Source::input, std::move(name), spec, {});
}

Value Graph::step() {
  if (!step_) step_ = add_source(Source::step, "step", {vector_shape(sizeof(StepParams)), DType::u8}, {});
  return step_;
}

Value Graph::constant(Spec spec, float fill) {
  return add_source(Source::constant, {}, spec, {InitKind::constant, fill, 1, 1});
}

Value Graph::param(std::string name, Shape shape, Init init) {
  return add_source(Source::param, std::move(name), {shape, DType::f32}, init);
}

Value Graph::state(std::string name, Shape shape, Init init) {
  return add_source(Source::state, std::move(name), {shape, DType::f32}, init);
}

Value Graph::add(OpAttributes op, std::vector<Value> inputs) {
  for (const Value& v : inputs)
    if (v && &v.graph() != this) throw InternalError(scope_, "an operand belongs to another graph");
  Node node;
  node.op = std::move(op);
  node.name = scope_;
  node.inputs = std::move(inputs);
  node.outputs = std::visit(
      [&](const auto& a) -> std::vector<Spec> {
        if constexpr (std::is_same_v<std::decay_t<decltype(a)>, std::monostate>)
          throw InternalError(scope_, "a node needs an operation");
        else
          return infer(a, node);
      },
      node.op);
  nodes_.push_back(std::move(node));
  return {this, size() - 1, 0};
}

void Graph::set_name(std::string name, Value v) { names_.insert_or_assign(std::move(name), v); }

Value Graph::named(const std::string& name) const {
  if (const auto it = names_.find(name); it != names_.end()) return it->second;
  std::string known;
  for (const auto& [key, value] : names_) known += (known.empty() ? "" : ", ") + key;
  throw UsageError("--layer " + name, "this network has no map of that name", "choose one of: " + known);
}

std::vector<Value> Graph::sources(Source kind) const {
  std::vector<Value> found;
  for (int i = 0; i < size(); ++i)
    if (node(i).source == kind) found.emplace_back(const_cast<Graph*>(this), i, 0);
  return found;
}

Value Graph::source(const std::string& name) const {
  const auto it = sources_.find(name);
  return it == sources_.end() ? Value{} : it->second;
}

bool glob_match(std::string_view glob, std::string_view text) {
  size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g, ++t;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (star != std::string_view::npos) {  // the last * takes one character more
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

void shape_error(const Node& node, const std::string& reason) {
  std::vector<Shape> shapes;
  for (const Value& v : node.inputs)
    if (v) shapes.push_back(v.shape());
  throw ShapeError(fmt::format("{} ({})", node.name, op_name(node.op)), reason, std::move(shapes));
}

const Shape& need(const Node& node, size_t index) {
  if (index >= node.inputs.size() || !node.inputs[index])
    shape_error(node, fmt::format("operand {} is missing", index));
  return node.inputs[index].shape();
}

void need_vector(const Node& node, size_t index, int64_t channels) {
  if (index >= node.inputs.size() || !node.inputs[index]) return;
  if (node.inputs[index].shape() != vector_shape(channels))
    shape_error(node, fmt::format("operand {} must hold {} numbers", index, channels));
}

}  // namespace xf
