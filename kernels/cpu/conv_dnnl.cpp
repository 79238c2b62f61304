// Convolutions and their two gradients.

#include <fmt/format.h>

#include "engine/core/error.h"
#include "engine/graph/infer.h"
#include "kernels/cpu/dnnl_weight_gradient.h"
#include "kernels/cpu/dnnl_weighted.h"
#include "kernels/cpu/lower.h"

namespace xf::cpu {

namespace {

/// One convolution: its input, output and weights (OHWI).
struct Geometry {
  Conv2d op;
  Shape x, y, w;
  Geometry(const Conv2d& conv, const Shape& input, const Shape& output)
      : op(conv), x(input), y(output), w{output.c, conv.kernel_h, conv.kernel_w, input.c} {}
};

/// Of a dense NHWC activation, for the logical order NCHW.
dnn::Desc activation(const Shape& s, DType type) {
  return dnn::strided({s.n, s.c, s.h, s.w}, type, {s.h * s.w * s.c, 1, s.w * s.c, s.c});
}

dnn::Dims weight_dims(const Shape& w) { return {w.n, w.c, w.h, w.w}; }

/// The canonical f32 weights in memory, logically OIHW.
dnn::Desc canonical(const Shape& w) {
  return dnn::strided(weight_dims(w), DType::f32, {w.h * w.w * w.c, 1, w.w * w.c, w.c});
}

/// The same memory with outputs and inputs exchanged: logically IOHW.
dnn::Desc exchanged(const Shape& w) {
  return dnn::strided({w.c, w.n, w.h, w.w}, DType::f32, {1, w.h * w.w * w.c, w.w * w.c, w.c});
}

size_t image_bytes(const Shape& s, DType t) { return static_cast<size_t>(s.h * s.w * s.c) * size_of(t); }

/// The shape of one part of a batch.
Shape part_of(Shape s, const dnn::Partition& p) {
  s.n /= p.parts;
  return s;
}

size_t part_bytes(const Shape& s, DType t, const dnn::Partition& p) {
  return static_cast<size_t>(s.n / p.parts) * image_bytes(s, t);
}

dnn::Convolution convolution(const Geometry& g, const dnn::Partition& p, DType x, DType y) {
  dnn::Convolution c;
  c.src = activation(part_of(g.x, p), x);
  c.dst = activation(part_of(g.y, p), y);
  c.strides = {g.op.stride_h, g.op.stride_w};
  c.before = {g.op.pad.top, g.op.pad.left};
  c.after = {g.op.pad.bottom, g.op.pad.right};
  return c;
}

/// A data gradient of stride 1 is itself a convolution, of dy with the turned weights, and oneDNN's forward
/// convolutions are the faster ones: by 5 to 50 % in f32; in bf16 its data gradients are as fast where there
/// are few output channels or a 1x1 window.
bool gradient_is_convolution(const Geometry& g, DType type) {
  const Conv2d& c = g.op;
  const Padding& p = c.pad;
  if (c.stride_h != 1 || c.stride_w != 1) return false;
  if (p.top >= c.kernel_h || p.bottom >= c.kernel_h || p.left >= c.kernel_w || p.right >= c.kernel_w)
    return false;
  return type == DType::f32 || (c.kernel_h * c.kernel_w > 1 && g.y.c >= 64);
}

void same_type(const Node& node, const Spec& a, const Spec& b) {
  if (a.dtype != b.dtype)
    throw InternalError(fmt::format("{} ({})", node.name, op_name(node.op)),
                        fmt::format("mixes {} and {}", name(a.dtype), name(b.dtype)));
}

}  // namespace

std::unique_ptr<Kernel> lower(const Conv2d& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &y = node.outputs[0];
  const Geometry g(op, x.shape, y.shape);
  const auto p = dnn::Partition::of(x.shape.n, context.determinism);
  const bool bias = node.inputs.size() > 2 && node.inputs[2];
  const bool residual = node.inputs.size() > 3 && node.inputs[3];

  dnn::Convolution c = convolution(g, p, x.dtype, y.dtype);
  c.weights = dnn::any(weight_dims(g.w), x.dtype);
  if (bias) c.bias = dnn::vector(g.w.n, DType::f32);
  dnn::Epilogue e;
  e.act = op.act;
  if (residual) {
    same_type(node, node.inputs[3].spec(), y);
    e.residual = dnn::Epilogue::Accumulate::into_destination;
  }
  auto built = dnn::make_for(p, [&] { return dnn::forward(c, e); });
  const Layout layout = dnn::register_packing({g.w, dnn::Window::as_is, canonical(g.w), built.weights});
  std::vector<dnn::Operand> operands{
      {0, {DNNL_ARG_SRC, c.src, part_bytes(g.x, x.dtype, p)}},
      {1, {DNNL_ARG_WEIGHTS, built.weights}},
      {static_cast<int>(node.inputs.size()), {DNNL_ARG_DST, c.dst, part_bytes(g.y, y.dtype, p)}}};
  if (bias) operands.push_back({2, {DNNL_ARG_BIAS, *c.bias}});
  return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout,
                                               dnn::Residual{residual ? 3 : -1});
}

std::unique_ptr<Kernel> lower(const ConvBwdData& op, const Node& node, const Context& context) {
  const Spec &dy = node.inputs[0].spec(), &dx = node.outputs[0];
  const Geometry g(op.conv, op.input, dy.shape);
  const auto p = dnn::Partition::of(dy.shape.n, context.determinism);
  dnn::Convolution c = convolution(g, p, dx.dtype, dy.dtype);
  const size_t dx_step = part_bytes(g.x, dx.dtype, p), dy_step = part_bytes(g.y, dy.dtype, p);

  if (gradient_is_convolution(g, dy.dtype)) {
    std::swap(c.src, c.dst);
    c.weights = dnn::any({g.w.c, g.w.n, g.w.h, g.w.w}, dy.dtype);
    c.before = {g.w.h - 1 - g.op.pad.top, g.w.w - 1 - g.op.pad.left};
    c.after = {g.w.h - 1 - g.op.pad.bottom, g.w.w - 1 - g.op.pad.right};
    auto built = dnn::make_for(p, [&] { return dnn::forward(c, {}); });
    const Layout layout = dnn::register_packing({g.w, dnn::Window::turned, exchanged(g.w), built.weights});
    const std::vector<dnn::Operand> operands{{0, {DNNL_ARG_SRC, c.src, dy_step}},
                                             {1, {DNNL_ARG_WEIGHTS, built.weights}},
                                             {2, {DNNL_ARG_DST, c.dst, dx_step}}};
    return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout);
  }
  c.weights = dnn::any(weight_dims(g.w), dy.dtype);
  auto built = dnn::make_for(p, [&] { return dnn::backward_data(c); });
  const Layout layout = dnn::register_packing({g.w, dnn::Window::as_is, canonical(g.w), built.weights});
  const std::vector<dnn::Operand> operands{{0, {DNNL_ARG_DIFF_DST, c.dst, dy_step}},
                                           {1, {DNNL_ARG_WEIGHTS, built.weights}},
                                           {2, {DNNL_ARG_DIFF_SRC, c.src, dx_step}}};
  return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout);
}

std::unique_ptr<Kernel> lower(const ConvBwdWeights& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &dy = node.inputs[1].spec();
  same_type(node, x, dy);
  const Geometry g(op.conv, x.shape, dy.shape);
  const auto p = dnn::Partition::of(x.shape.n, context.determinism);
  dnn::Convolution c = convolution(g, p, x.dtype, dy.dtype);
  c.weights = dnn::any(weight_dims(g.w), DType::f32);
  auto built = dnn::make_for(p, [&] { return dnn::backward_weights(c); });
  return std::make_unique<dnn::WeightGradient>(
      std::move(built), dnn::Argument{DNNL_ARG_SRC, c.src, part_bytes(g.x, x.dtype, p)},
      dnn::Argument{DNNL_ARG_DIFF_DST, c.dst, part_bytes(g.y, dy.dtype, p)}, DNNL_ARG_DIFF_WEIGHTS,
      canonical(g.w), p);
}

}  // namespace xf::cpu
