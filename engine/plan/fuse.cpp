#include <map>
#include <utility>
#include <vector>

#include "engine/plan/passes.h"

namespace xf {

namespace {

/// The epilogue of a convolution or dense layer as it grows along a chain of operations.
struct Epilogue {
  OpAttributes op;
  std::vector<Value> inputs;  // x, w, bias, residual (old values)
  int last = -1;              // the node whose result the fused operation gives
};

Activation& activation(OpAttributes& op) {
  return std::holds_alternative<Conv2d>(op) ? std::get<Conv2d>(op).act : std::get<Dense>(op).act;
}

/// Takes node `id`, a reader of the chain's last value, into the epilogue; false when it does not fit.
bool absorb(const Graph& g, Epilogue& e, int id, Value chain) {
  const Node& n = g.node(id);
  if (activation(e.op) != Activation::none) return false;
  const bool has_residual = static_cast<bool>(e.inputs[3]);
  if (n.as<Bias>() != nullptr && !e.inputs[2] && !has_residual && n.inputs[0] == chain) {
    e.inputs[2] = n.inputs[1];
  } else if (n.as<Add>() != nullptr && n.inputs.size() == 2 && !has_residual &&
             std::holds_alternative<Conv2d>(e.op)) {
    const Value other = n.inputs[0] == chain ? n.inputs[1] : n.inputs[0];
    if (other == chain) return false;
    e.inputs[3] = other;
  } else if (const auto* act = n.as<Act>()) {
    activation(e.op) = act->act;
  } else {
    return false;
  }
  e.last = id;
  return true;
}

}  // namespace

Program fuse(const Program& program) {
  const Graph& g = *program.graph;
  const Uses uses(program);
  std::map<Value, int> reader;  // the one node that reads a value, where it is one
  for (int id = 0; id < g.size(); ++id)
    for (const Value& in : g.node(id).inputs)
      if (in) reader[in] = id;

  std::map<int, Epilogue> fused;  // by the last node of the chain
  std::vector<char> dropped(static_cast<size_t>(g.size()), 0);
  for (int id = 0; id < g.size(); ++id) {
    const Node& n = g.node(id);
    if (n.as<Conv2d>() == nullptr && n.as<Dense>() == nullptr) continue;
    Epilogue e{n.op, n.inputs, -1};
    e.inputs.resize(4);
    std::vector<int> inner;
    for (Value v(program.graph.get(), id, 0); uses.only_one(v); v = Value(program.graph.get(), e.last, 0)) {
      inner.push_back(v.node());
      if (!absorb(g, e, reader.at(v), v)) break;
    }
    if (e.last < 0) continue;
    for (const int i : inner)
      if (i != e.last) dropped[static_cast<size_t>(i)] = 1;
    fused.emplace(e.last, std::move(e));
  }

  Rewriter r(program);
  for (int id = 0; id < g.size(); ++id) {
    if (dropped[static_cast<size_t>(id)] != 0) continue;
    const auto it = fused.find(id);
    if (it == fused.end()) {
      r.copy(id);
      continue;
    }
    std::vector<Value> inputs;
    for (const Value& v : it->second.inputs) inputs.push_back(r.map(v));
    r.copy_as(id, it->second.op, std::move(inputs));
  }
  return r.finish();
}

}  // namespace xf
