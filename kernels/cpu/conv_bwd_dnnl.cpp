// The two gradients of a convolution.

#include "kernels/cpu/conv_geometry.h"
#include "kernels/cpu/dnnl_weight_gradient.h"
#include "kernels/cpu/dnnl_weighted.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/wgrad.h"
#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_rule.h"

namespace xf::cpu {

namespace {

/// A data gradient of stride 1 is itself a convolution, of dy with the turned weights, and oneDNN's forward
/// convolutions are the faster ones: by 5 to 50 % in f32; in bf16 its data gradients are as fast where there
/// are few output channels or a 1x1 window.
bool gradient_is_convolution(const dnn::Geometry& g, DType type) {
  const Conv2d& c = g.op;
  const Padding& p = c.pad;
  if (c.stride_h != 1 || c.stride_w != 1) return false;
  if (p.top >= c.kernel_h || p.bottom >= c.kernel_h || p.left >= c.kernel_w || p.right >= c.kernel_w)
    return false;
  return type == DType::f32 || (c.kernel_h * c.kernel_w > 1 && g.y.c >= 64);
}

/// Whether our own weight gradients are the faster ones: for windows of several pixels, where oneDNN's lose a
/// fifth to a half of the processor's speed, but for f32 in horizontal ones. Each thread needs a share of the
/// output, which is why the number of threads counts where results may depend on it.
bool own_weight_gradient(const dnn::Geometry& g, DType type, Determinism determinism) {
  const Conv2d& c = g.op;
  if (c.kernel_h * c.kernel_w == 1 || g.x.c < 16) return false;
  if (type == DType::f32 && c.kernel_h == 1 && c.stride_w == 1) return false;
  return determinism == Determinism::any_threads || (g.x.c / 16) * (g.y.c / 8) >= 4 * threads();
}

/// Whether the weight gradient of a 1x1 window is faster as one matrix product. In bf16, on maps that are not
/// large: by 5 to 25 %. In f32, on large ones and where pixels lie a multiple of 1 KiB apart, which oneDNN's
/// convolutions pay with up to half of their speed. The threads share blocks of 64x64 weights.
bool weight_gradient_is_product(const dnn::Geometry& g, DType type, Determinism determinism) {
  const Conv2d& c = g.op;
  if (c.kernel_h * c.kernel_w * c.stride_h * c.stride_w != 1 || c.pad != Padding{}) return false;
  const int64_t map = g.y.h * g.y.w;
  const bool faster =
      type == DType::bf16 ? map <= 36 * 36 : map >= 50 * 50 || g.x.c % 256 == 0 || g.y.c % 256 == 0;
  return faster && (determinism == Determinism::any_threads || (g.x.c / 16) * (g.y.c / 16) >= 16 * threads());
}

/// dw = dyᵀ · x, or its transpose: the operand with fewer channels is the one that is transposed.
std::unique_ptr<Kernel> product_weight_gradient(const dnn::Geometry& g, DType type, const dnn::Partition& p) {
  const int64_t positions = g.y.rows() / p.parts, in = g.w.c, out = g.w.n;
  const bool by_inputs = in < out;
  const auto rows = [&](int64_t channels) {
    return dnn::strided({positions, channels}, type, {channels, 1});
  };
  const auto columns = [&](int64_t channels) {
    return dnn::strided({channels, positions}, type, {1, channels});
  };
  dnn::Product product;
  product.src = by_inputs ? columns(in) : columns(out);
  product.weights = by_inputs ? rows(out) : rows(in);
  product.dst = by_inputs ? dnn::strided({in, out}, DType::f32, {out, 1})
                          : dnn::strided({out, in}, DType::f32, {in, 1});
  const dnn::Desc dw = dnn::strided({out, in}, DType::f32, {in, 1});
  dnn::WeightGradient::Operands operands;
  operands.x = {DNNL_ARG_WEIGHTS, product.weights};
  operands.dy = {DNNL_ARG_SRC, product.src};
  if (by_inputs) std::swap(operands.x, operands.dy);
  operands.x.step = dnn::part_bytes(g.x, type, p.parts);
  operands.dy.step = dnn::part_bytes(g.y, type, p.parts);
  operands.dw = {DNNL_ARG_DST, product.dst};
  operands.made = by_inputs ? dnn::strided({out, in}, DType::f32, {1, out}) : dw;
  auto built = dnn::make_for(p, [&] { return dnn::product(product, {}); });
  return std::make_unique<dnn::WeightGradient>(std::move(built), operands, dw, p);
}

}  // namespace

std::unique_ptr<Kernel> lower(const ConvBwdData& op, const Node& node, const Context& context) {
  const Spec &dy = node.inputs[0].spec(), &dx = node.outputs[0];
  if (winograd::chosen(op.conv, op.input, dy.shape, dy.dtype, context))
    return winograd::data_gradient(op, node);
  const dnn::Geometry g(op.conv, op.input, dy.shape);
  const auto p = dnn::Partition::of(dy.shape.n, context.determinism);
  dnn::Convolution c = dnn::convolution(g, p.parts, dx.dtype, dy.dtype);
  const size_t dx_step = dnn::part_bytes(g.x, dx.dtype, p.parts),
               dy_step = dnn::part_bytes(g.y, dy.dtype, p.parts);

  if (gradient_is_convolution(g, dy.dtype)) {
    std::swap(c.src, c.dst);
    c.weights = dnn::any({g.w.c, g.w.n, g.w.h, g.w.w}, dy.dtype);
    c.before = {g.w.h - 1 - g.op.pad.top, g.w.w - 1 - g.op.pad.left};
    c.after = {g.w.h - 1 - g.op.pad.bottom, g.w.w - 1 - g.op.pad.right};
    auto built = dnn::make_for(p, [&] { return dnn::forward(c, {}); });
    const Layout layout =
        dnn::register_packing({g.w, dnn::Window::turned, dnn::exchanged(g.w), built.weights});
    const std::vector<dnn::Operand> operands{{0, {DNNL_ARG_SRC, c.src, dy_step}},
                                             {1, {DNNL_ARG_WEIGHTS, built.weights}},
                                             {2, {DNNL_ARG_DST, c.dst, dx_step}}};
    return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout);
  }
  c.weights = dnn::any(dnn::weight_dims(g.w), dy.dtype);
  auto built = dnn::make_for(p, [&] { return dnn::backward_data(c); });
  const Layout layout = dnn::register_packing({g.w, dnn::Window::as_is, dnn::canonical(g.w), built.weights});
  const std::vector<dnn::Operand> operands{{0, {DNNL_ARG_DIFF_DST, c.dst, dy_step}},
                                           {1, {DNNL_ARG_WEIGHTS, built.weights}},
                                           {2, {DNNL_ARG_DIFF_SRC, c.src, dx_step}}};
  return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout);
}

std::unique_ptr<Kernel> lower(const ConvBwdWeights& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &dy = node.inputs[1].spec();
  dnn::same_type(node, x, dy);
  if (winograd::chosen(op.conv, x.shape, dy.shape, x.dtype, context))
    return winograd::weight_gradient(op, node);
  const dnn::Geometry g(op.conv, x.shape, dy.shape);
  if (own_weight_gradient(g, x.dtype, context.determinism))
    if (auto kernel = wgrad::make_kernel(g.op, g.x, g.y, x.dtype)) return kernel;

  const auto p = dnn::Partition::of(x.shape.n, context.determinism);
  if (weight_gradient_is_product(g, x.dtype, context.determinism))
    return product_weight_gradient(g, x.dtype, p);

  dnn::Convolution c = dnn::convolution(g, p.parts, x.dtype, dy.dtype);
  c.weights = dnn::any(dnn::weight_dims(g.w), DType::f32);
  auto built = dnn::make_for(p, [&] { return dnn::backward_weights(c); });
  const dnn::WeightGradient::Operands operands{
      {DNNL_ARG_SRC, c.src, dnn::part_bytes(g.x, x.dtype, p.parts)},
      {DNNL_ARG_DIFF_DST, c.dst, dnn::part_bytes(g.y, dy.dtype, p.parts)},
      {DNNL_ARG_DIFF_WEIGHTS, built.weights},
      built.weights};
  return std::make_unique<dnn::WeightGradient>(std::move(built), operands, dnn::canonical(g.w), p);
}

}  // namespace xf::cpu
