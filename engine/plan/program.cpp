#include "engine/plan/program.h"

#include <utility>

#include "engine/core/error.h"

namespace xf {

Uses::Uses(const Program& program) {
  const Graph& g = *program.graph;
  for (int id = 0; id < g.size(); ++id)
    for (const Value& in : g.node(id).inputs)
      if (in) ++reads_[in];
  for (const Value& v : program.keep) pinned_[v] = true;
  for (const Update& u : g.updates()) pinned_[u.value] = true;
}

int Uses::reads(Value v) const {
  const auto it = reads_.find(v);
  return it == reads_.end() ? 0 : it->second;
}

std::vector<Value> operands_of(const Program& program, int id, const Uses& uses) {
  const Node& n = program.graph->node(id);
  std::vector<Value> operands = n.inputs;
  for (int o = 0; o < static_cast<int>(n.outputs.size()); ++o) {
    const Value v(program.graph.get(), id, o);
    operands.push_back(uses.reads(v) > 0 || uses.pinned(v) ? v : Value{});
  }
  return operands;
}

Value Rewriter::map(Value old) const {
  if (!old) return {};
  const auto it = map_.find(old);
  if (it == map_.end())
    throw InternalError(old_.node(old.node()).name, "a pass dropped a value that is needed");
  return it->second;
}

void Rewriter::copy(int id) {
  const Node& n = old().node(id);
  if (n.source == Source::none) {
    std::vector<Value> inputs;
    for (const Value& v : n.inputs) inputs.push_back(map(v));
    copy_as(id, n.op, std::move(inputs));
    return;
  }
  Value v;
  switch (n.source) {
    case Source::input: v = fresh().input(n.name, n.outputs[0]); break;
    case Source::param: v = fresh().param(n.name, n.outputs[0].shape, n.init); break;
    case Source::state: v = fresh().state(n.name, n.outputs[0].shape, n.init); break;
    case Source::step: v = fresh().step(); break;
    case Source::constant: v = fresh().constant(n.outputs[0], n.init.value); break;
    case Source::none: break;
  }
  fresh().node(v.node()).trainable = n.trainable;
  replace(old_value(id, 0), v);
}

void Rewriter::copy_as(int id, OpAttributes op, std::vector<Value> inputs) {
  fresh().set_scope(old().node(id).name);
  const Value v = fresh().add(std::move(op), std::move(inputs));
  for (int o = 0; o < static_cast<int>(old().node(id).outputs.size()); ++o)
    replace(old_value(id, o), Graph::output(v, o));
}

void Rewriter::replace(Value old, Value fresh) { map_[old] = fresh; }

Program Rewriter::finish() {
  for (const Value& v : keep_) to_.keep.push_back(map(v));
  for (const Update& u : old().updates()) fresh().update(map(u.state), map(u.value));
  for (const auto& [name, value] : old().names())
    if (map_.count(value) != 0) fresh().set_name(name, map(value));
  return std::move(to_);
}

Program prune(const Graph& graph, std::span<const Value> keep) {
  std::vector<char> needed(static_cast<size_t>(graph.size()), 0);
  for (const Value& v : keep) needed[static_cast<size_t>(v.node())] = 1;
  for (const Update& u : graph.updates())
    needed[static_cast<size_t>(u.value.node())] = needed[static_cast<size_t>(u.state.node())] = 1;
  for (int id = graph.size() - 1; id >= 0; --id)
    if (needed[static_cast<size_t>(id)] != 0)
      for (const Value& in : graph.node(id).inputs)
        if (in) needed[static_cast<size_t>(in.node())] = 1;

  Rewriter rewriter(graph, keep);
  for (int id = 0; id < graph.size(); ++id)
    if (needed[static_cast<size_t>(id)] != 0) rewriter.copy(id);
  return rewriter.finish();
}

}  // namespace xf
