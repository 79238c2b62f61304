#include <fmt/format.h>

#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Conv2d& op, const Node& node) {
  const Shape &x = need(node, 0), &w = need(node, 1);
  if (w.h != op.kernel_h || w.w != op.kernel_w || w.c != x.c)
    shape_error(node, fmt::format("a {}x{} convolution of {} channels needs weights (outputs, {}, {}, {})",
                                  op.kernel_h, op.kernel_w, x.c, op.kernel_h, op.kernel_w, x.c));
  const Shape y{x.n, window_extent(x.h, op.kernel_h, op.stride_h, op.pad.top, op.pad.bottom),
                window_extent(x.w, op.kernel_w, op.stride_w, op.pad.left, op.pad.right), w.n};
  if (x.h + op.pad.top + op.pad.bottom < op.kernel_h || x.w + op.pad.left + op.pad.right < op.kernel_w)
    shape_error(node, "the padded input is smaller than the kernel");
  need_vector(node, 2, w.n);
  if (node.inputs.size() > 3 && node.inputs[3] && node.inputs[3].shape() != y)
    shape_error(node, "the residual must have the output's shape " + to_string(y));
  return {{y, node.inputs[0].spec().dtype}};
}

std::vector<Spec> infer(const ConvBwdData& op, const Node& node) {
  const Shape &dy = need(node, 0), &w = need(node, 1);
  if (dy.c != w.n || op.input.c != w.c) shape_error(node, "gradient, weights and input disagree in channels");
  return {{op.input, node.inputs[0].spec().dtype}};
}

std::vector<Spec> infer(const ConvBwdWeights& op, const Node& node) {
  const Shape &x = need(node, 0), &dy = need(node, 1);
  if (dy.c != op.weights.n || x.c != op.weights.c || x.n != dy.n)
    shape_error(node, "input, gradient and weights disagree");
  return {{op.weights, DType::f32}};
}

void grad(Graph& g, Value y, const Conv2d& op, Value dy, GradSink& out) {
  const Node& n = g.node(y);
  if (op.act != Activation::none) dy = g.add(ActBwd{op.act}, {dy, y});
  Conv2d plain = op;
  plain.act = Activation::none;
  if (out.need(3)) out.add(3, dy);
  if (out.need(2)) out.add(2, g.add(BiasGrad{}, {dy}));
  if (out.need(1)) out.add(1, g.add(ConvBwdWeights{plain, n.inputs[1].shape()}, {n.inputs[0], dy}));
  if (out.need(0)) out.add(0, g.add(ConvBwdData{plain, n.inputs[0].shape()}, {dy, n.inputs[1]}));
}

}  // namespace xf
