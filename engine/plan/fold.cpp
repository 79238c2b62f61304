#include <map>

#include "engine/plan/passes.h"

namespace xf {

namespace {

/// The convolution that `bn` (a node) can be folded into, or -1.
int foldable_conv(const Graph& g, const Uses& uses, int id) {
  const Node& bn = g.node(id);
  const auto* attributes = bn.as<BnAct>();
  if (attributes == nullptr || attributes->mode != BnMode::running) return -1;
  const Value x = bn.inputs[0];
  const auto* conv = g.node(x).as<Conv2d>();
  if (conv == nullptr || conv->act != Activation::none || !uses.only_one(x)) return -1;
  const auto& operands = g.node(x).inputs;
  if (operands.size() > 3 && operands[3]) return -1;
  for (int o = 1; o < 5; ++o) {  // a backward pass reads the statistics
    const Value v(&x.graph(), id, o);
    if (uses.reads(v) > 0 || uses.pinned(v)) return -1;
  }
  return x.node();
}

}  // namespace

Program fold(const Program& program) {
  const Graph& g = *program.graph;
  const Uses uses(program);
  std::map<int, int> conv_of;  // BnAct → its convolution
  std::map<int, bool> folded;
  for (int id = 0; id < g.size(); ++id)
    if (const int conv = foldable_conv(g, uses, id); conv >= 0) {
      conv_of[id] = conv;
      folded[conv] = true;
    }

  Rewriter r(program);
  for (int id = 0; id < g.size(); ++id) {
    if (folded.count(id) != 0) continue;
    const auto it = conv_of.find(id);
    if (it == conv_of.end()) {
      r.copy(id);
      continue;
    }
    const Node &bn = g.node(id), &conv = g.node(it->second);
    const auto* attributes = bn.as<BnAct>();
    const Value bias = conv.inputs.size() > 2 ? r.map(conv.inputs[2]) : Value{};
    r.fresh().set_scope(conv.name);
    const Value w = r.fresh().add(FoldBn{attributes->eps},
                                  {r.map(conv.inputs[1]), r.map(bn.inputs[1]), r.map(bn.inputs[2]),
                                   r.map(bn.inputs[3]), r.map(bn.inputs[4]), bias});
    Conv2d both = *conv.as<Conv2d>();
    both.act = attributes->act;
    const Value residual = bn.inputs.size() > 5 ? r.map(bn.inputs[5]) : Value{};
    const Value y = r.fresh().add(both, {r.map(conv.inputs[0]), w, Graph::output(w, 1), residual});
    r.replace(Value(&bn.inputs[0].graph(), id, 0), y);
  }
  return r.finish();
}

}  // namespace xf
