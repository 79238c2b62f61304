#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Dropout& op, const Node& node) {
  need(node, 1);
  if (!(op.rate >= 0 && op.rate < 1)) shape_error(node, "the dropout rate must lie in [0, 1)");
  return {node.inputs[1].spec()};
}

void grad(Graph& g, Value y, const Dropout& op, Value dy, GradSink& out) {
  if (out.need(1)) out.add(1, g.add(op, {g.node(y).inputs[0], dy}));
}

}  // namespace xf
