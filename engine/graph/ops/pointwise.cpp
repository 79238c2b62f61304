// Bias, activation and sum: the operations that treat each element alone.
#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Bias&, const Node& node) {
  const Shape& x = need(node, 0);
  need(node, 1);
  need_vector(node, 1, x.c);
  return {node.inputs[0].spec()};
}

std::vector<Spec> infer(const BiasGrad&, const Node& node) {
  return {{vector_shape(need(node, 0).c), DType::f32}};
}

void grad(Graph& g, Value, const Bias&, Value dy, GradSink& out) {
  if (out.need(1)) out.add(1, g.add(BiasGrad{}, {dy}));
  if (out.need(0)) out.add(0, dy);
}

std::vector<Spec> infer(const Act&, const Node& node) {
  need(node, 0);
  return {node.inputs[0].spec()};
}

std::vector<Spec> infer(const ActBwd&, const Node& node) {
  if (need(node, 0) != need(node, 1)) shape_error(node, "gradient and output must have one shape");
  return {node.inputs[1].spec()};
}

void grad(Graph& g, Value y, const Act& op, Value dy, GradSink& out) {
  if (out.need(0)) out.add(0, op.act == Activation::none ? dy : g.add(ActBwd{op.act}, {dy, y}));
}

std::vector<Spec> infer(const Add&, const Node& node) {
  if (node.inputs.size() < 2) shape_error(node, "a sum needs two operands or more");
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (need(node, i) != need(node, 0)) shape_error(node, "the operands of a sum must have one shape");
  return {node.inputs[0].spec()};
}

void grad(Graph& g, Value y, const Add&, Value dy, GradSink& out) {
  for (size_t i = 0; i < g.node(y).inputs.size(); ++i)
    if (out.need(i)) out.add(i, dy);
}

}  // namespace xf
