#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

namespace {
int64_t per_image(const Shape& s) { return s.h * s.w * s.c; }
}  // namespace

std::vector<Spec> infer(const Dense&, const Node& node) {
  const Shape &x = need(node, 0), &w = need(node, 1);
  if (per_image(x) != per_image(w)) shape_error(node, "weights must be (outputs, numbers of one image)");
  need_vector(node, 2, w.n);
  return {{{x.n, 1, 1, w.n}, node.inputs[0].spec().dtype}};
}

std::vector<Spec> infer(const DenseBwdData& op, const Node& node) {
  const Shape &dy = need(node, 0), &w = need(node, 1);
  if (dy.c != w.n || per_image(op.input) != per_image(w))
    shape_error(node, "gradient, weights and input disagree");
  return {{op.input, node.inputs[0].spec().dtype}};
}

std::vector<Spec> infer(const DenseBwdWeights& op, const Node& node) {
  const Shape &x = need(node, 0), &dy = need(node, 1);
  if (x.n != dy.n || dy.c != op.weights.n || per_image(x) != per_image(op.weights))
    shape_error(node, "input, gradient and weights disagree");
  return {{op.weights, DType::f32}};
}

void grad(Graph& g, Value y, const Dense& op, Value dy, GradSink& out) {
  const Node& n = g.node(y);
  if (op.act != Activation::none) dy = g.add(ActBwd{op.act}, {dy, y});
  if (out.need(2)) out.add(2, g.add(BiasGrad{}, {dy}));
  if (out.need(1)) out.add(1, g.add(DenseBwdWeights{n.inputs[1].shape()}, {n.inputs[0], dy}));
  if (out.need(0)) out.add(0, g.add(DenseBwdData{n.inputs[0].shape()}, {dy, n.inputs[1]}));
}

}  // namespace xf
