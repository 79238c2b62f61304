#include <algorithm>

#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Pool& op, const Node& node) {
  const Shape& x = need(node, 0);
  const Padding& p = op.pad;
  if (std::max({p.top, p.bottom - op.ceil_extra_h}) >= op.kernel_h ||
      std::max({p.left, p.right - op.ceil_extra_w}) >= op.kernel_w)
    shape_error(node, "a padding as large as the window leaves windows without input");
  if (x.h + p.top + p.bottom < op.kernel_h || x.w + p.left + p.right < op.kernel_w)
    shape_error(node, "the padded input is smaller than the window");
  if (op.kernel_h * op.kernel_w > 255)
    shape_error(node, "windows of more than 255 positions are not supported");
  const Shape y{x.n, window_extent(x.h, op.kernel_h, op.stride_h, p.top, p.bottom),
                window_extent(x.w, op.kernel_w, op.stride_w, p.left, p.right), x.c};
  return {{y, node.inputs[0].spec().dtype}, {y, DType::u8}};
}

std::vector<Spec> infer(const PoolBwd& op, const Node& node) {
  const Shape& dy = need(node, 0);
  if (op.pool.kind == PoolKind::max && need(node, 1) != dy)
    shape_error(node, "gradient and argmax must have one shape");
  return {{op.input, node.inputs[0].spec().dtype}};
}

void grad(Graph& g, Value y, const Pool& op, Value dy, GradSink& out) {
  const Value argmax = op.kind == PoolKind::max ? Graph::output(y, 1) : Value{};
  if (out.need(0)) out.add(0, g.add(PoolBwd{op, g.node(y).inputs[0].shape()}, {dy, argmax}));
}

std::vector<Spec> infer(const GlobalAvgPool&, const Node& node) {
  const Shape& x = need(node, 0);
  return {{{x.n, 1, 1, x.c}, DType::f32}};
}

std::vector<Spec> infer(const GlobalAvgPoolBwd& op, const Node& node) {
  const Shape& dy = need(node, 0);
  if (dy != Shape{op.input.n, 1, 1, op.input.c}) shape_error(node, "gradient and input disagree");
  return {{op.input, op.to}};
}

void grad(Graph& g, Value y, const GlobalAvgPool&, Value dy, GradSink& out) {
  const Spec& x = g.node(y).inputs[0].spec();
  if (out.need(0)) out.add(0, g.add(GlobalAvgPoolBwd{x.shape, x.dtype}, {dy}));
}

}  // namespace xf
