#include "engine/autograd/gradients.h"

#include <map>
#include <string>
#include <type_traits>

#include "engine/core/error.h"
#include "engine/graph/grad.h"

namespace xf {

GradSink::GradSink(const Node& node, const std::vector<char>& needed)
    : node_(node), needed_(needed), found_(node.inputs.size()) {}

bool GradSink::need(size_t index) const {
  return index < node_.inputs.size() && node_.inputs[index] &&
         needed_[static_cast<size_t>(node_.inputs[index].node())] != 0;
}

namespace {

template <class Op>
concept Differentiable = requires(Graph& g, Value v, const Op& op, GradSink& sink) {
  grad(g, v, op, v, sink);
};

void apply_rule(Graph& g, Value y, Value dy, GradSink& sink) {
  std::visit(
      [&](const auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (Differentiable<Op>)
          grad(g, y, op, dy, sink);
        else
          throw InternalError(g.node(y).name, std::string(op_name(op)) + " has no gradient");
      },
      // A copy: recording the rule's nodes must not move the attributes under its feet.
      OpAttributes(g.node(y).op));
}

}  // namespace

std::vector<Value> gradients(Value y, std::span<const Value> wrt, Value seed) {
  Graph& g = y.graph();
  const int last = y.node();

  // A node is needed when it lies on a path from one of wrt to y; only those are walked.
  std::vector<char> needed(static_cast<size_t>(last) + 1, 0);
  for (const Value& v : wrt)
    if (v.node() <= last) needed[static_cast<size_t>(v.node())] = 1;
  for (int id = 0; id <= last; ++id)
    for (const Value& in : g.node(id).inputs)
      if (in && needed[static_cast<size_t>(in.node())] != 0) needed[static_cast<size_t>(id)] = 1;

  const std::string scope = g.scope();
  std::map<Value, std::vector<Value>> arriving;
  if (!seed) seed = g.constant({y.shape(), DType::f32}, 1);
  arriving[y].push_back(seed);

  std::map<Value, Value> total;
  for (int id = last; id >= 0; --id) {
    if (needed[static_cast<size_t>(id)] == 0) continue;
    // Only first outputs are differentiated; the others are statistics and indices.
    const Value out(&g, id, 0);
    const auto it = arriving.find(out);
    if (it == arriving.end()) continue;
    g.set_scope(g.node(id).name);
    const Value dy = it->second.size() == 1 ? it->second.front() : g.add(Add{}, it->second);
    total[out] = dy;
    if (g.node(id).source != Source::none) continue;
    GradSink sink(g.node(id), needed);
    apply_rule(g, out, dy, sink);
    for (size_t i = 0; i < sink.found().size(); ++i)
      if (sink.found()[i] && sink.need(i)) arriving[g.node(id).inputs[i]].push_back(sink.found()[i]);
  }
  g.set_scope(scope);

  std::vector<Value> result;
  for (const Value& v : wrt) {
    const auto it = total.find(v);
    result.push_back(it == total.end() ? Value{} : it->second);
  }
  return result;
}

}  // namespace xf
