#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const BnAct& op, const Node& node) {
  const Shape& x = need(node, 0);
  need(node, 2);
  need(node, 3);
  need(node, 4);
  for (size_t i = 1; i <= 4; ++i) need_vector(node, i, x.c);
  if (node.inputs.size() > 5 && node.inputs[5] && node.inputs[5].shape() != x)
    shape_error(node, "the residual must have the input's shape");
  if (op.mode == BnMode::batch && x.rows() < 2)
    shape_error(node, "batch statistics need more than one value per channel; use a larger batch");
  const Spec stat{vector_shape(x.c), DType::f32};
  return {{x, node.inputs[0].spec().dtype}, stat, stat, stat, stat};
}

std::vector<Spec> infer(const BnActBwd& op, const Node& node) {
  const Shape &dy = need(node, 0), &x = need(node, 1);
  if (dy != x) shape_error(node, "the gradient must have the input's shape");
  if (node.inputs[2] && node.inputs[2].shape() != x)
    shape_error(node, "the output must have the input's shape");
  if (op.bn.act != Activation::none && !node.inputs[2]) need(node, 6);
  for (size_t i = 3; i <= 6; ++i) need_vector(node, i, x.c);
  const Spec stat{vector_shape(x.c), DType::f32};
  const DType type = node.inputs[1].spec().dtype;
  return {{x, type}, stat, stat, {x, type}};
}

void grad(Graph& g, Value y, const BnAct& op, Value dy, GradSink& out) {
  const Node& n = g.node(y);
  // What tells the sign before the activation: y after a residual was added, else x and beta.
  const bool residual = n.inputs.size() > 5 && n.inputs[5];
  const bool active = op.act != Activation::none;
  const Value dx = g.add(BnActBwd{op},
                         {dy, n.inputs[0], active && residual ? y : Value{}, n.inputs[1], Graph::output(y, 1),
                          Graph::output(y, 2), active && !residual ? n.inputs[2] : Value{}});
  if (out.need(0)) out.add(0, dx);
  if (out.need(1)) out.add(1, Graph::output(dx, 1));
  if (out.need(2)) out.add(2, Graph::output(dx, 2));
  if (out.need(5)) out.add(5, Graph::output(dx, 3));
}

}  // namespace xf
