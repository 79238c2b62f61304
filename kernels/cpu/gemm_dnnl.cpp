// Dense layers and their two gradients, as matrix products.

#include <fmt/format.h>

#include "engine/core/error.h"
#include "engine/graph/infer.h"
#include "kernels/cpu/dnnl_weight_gradient.h"
#include "kernels/cpu/dnnl_weighted.h"
#include "kernels/cpu/lower.h"

namespace xf::cpu {

namespace {

int64_t per_image(const Shape& s) { return s.h * s.w * s.c; }

/// A dense row-major matrix, or the transpose of one.
dnn::Desc matrix(int64_t rows, int64_t columns, DType type) {
  return dnn::strided({rows, columns}, type, {columns, 1});
}
dnn::Desc transposed(int64_t rows, int64_t columns, DType type) {
  return dnn::strided({rows, columns}, type, {1, rows});
}

size_t part_bytes(const Spec& s, const dnn::Partition& p) { return s.bytes() / static_cast<size_t>(p.parts); }

}  // namespace

std::unique_ptr<Kernel> lower(const Dense& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &y = node.outputs[0];
  const int64_t k = per_image(x.shape), outputs = per_image(y.shape);
  const auto p = dnn::Partition::of(x.shape.n, context.determinism);
  const int64_t rows = x.shape.n / p.parts;

  dnn::Product product;
  product.src = matrix(rows, k, x.dtype);
  product.weights = dnn::any({k, outputs}, x.dtype);
  product.dst = matrix(rows, outputs, y.dtype);
  const bool bias = node.inputs.size() > 2 && node.inputs[2];
  if (bias) product.bias = matrix(1, outputs, DType::f32);
  auto built = dnn::make_for(p, [&] { return dnn::product(product, {.act = op.act}); });
  const Layout layout = dnn::register_packing({{outputs, x.shape.h, x.shape.w, x.shape.c},
                                               dnn::Window::as_is,
                                               transposed(k, outputs, DType::f32),
                                               built.weights});
  std::vector<dnn::Operand> operands{
      {0, {DNNL_ARG_SRC, product.src, part_bytes(x, p)}},
      {1, {DNNL_ARG_WEIGHTS, built.weights}},
      {static_cast<int>(node.inputs.size()), {DNNL_ARG_DST, product.dst, part_bytes(y, p)}}};
  if (bias) operands.push_back({2, {DNNL_ARG_BIAS, *product.bias}});
  return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout);
}

std::unique_ptr<Kernel> lower(const DenseBwdData& op, const Node& node, const Context& context) {
  const Spec &dy = node.inputs[0].spec(), &dx = node.outputs[0];
  const int64_t k = per_image(op.input), outputs = per_image(dy.shape);
  const auto p = dnn::Partition::of(dy.shape.n, context.determinism);
  const int64_t rows = dy.shape.n / p.parts;

  dnn::Product product;
  product.src = matrix(rows, outputs, dy.dtype);
  product.weights = dnn::any({outputs, k}, dy.dtype);
  product.dst = matrix(rows, k, dx.dtype);
  auto built = dnn::make_for(p, [&] { return dnn::product(product, {}); });
  const Layout layout = dnn::register_packing({{outputs, op.input.h, op.input.w, op.input.c},
                                               dnn::Window::as_is,
                                               matrix(outputs, k, DType::f32),
                                               built.weights});
  const std::vector<dnn::Operand> operands{{0, {DNNL_ARG_SRC, product.src, part_bytes(dy, p)}},
                                           {1, {DNNL_ARG_WEIGHTS, built.weights}},
                                           {2, {DNNL_ARG_DST, product.dst, part_bytes(dx, p)}}};
  return std::make_unique<dnn::WeightedKernel>(std::move(built), operands, p, layout);
}

std::unique_ptr<Kernel> lower(const DenseBwdWeights& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &dy = node.inputs[1].spec();
  if (x.dtype != dy.dtype)
    throw InternalError(node.name, fmt::format("dense gradient of {} and {}", name(x.dtype), name(dy.dtype)));
  const int64_t k = per_image(x.shape);
  const auto p = dnn::Partition::of(x.shape.n, context.determinism);
  const int64_t rows = x.shape.n / p.parts;

  dnn::Product product;  // dw = dyᵀ · x
  product.src = transposed(op.weights.n, rows, dy.dtype);
  product.weights = matrix(rows, k, x.dtype);
  product.dst = matrix(op.weights.n, k, DType::f32);
  auto built = dnn::make_for(p, [&] { return dnn::product(product, {}); });
  const dnn::WeightGradient::Operands operands{{DNNL_ARG_WEIGHTS, product.weights, part_bytes(x, p)},
                                               {DNNL_ARG_SRC, product.src, part_bytes(dy, p)},
                                               {DNNL_ARG_DST, product.dst},
                                               product.dst};
  return std::make_unique<dnn::WeightGradient>(std::move(built), operands, product.dst, p);
}

}  // namespace xf::cpu
