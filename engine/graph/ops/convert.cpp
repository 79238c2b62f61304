// Changes of type and arrangement: input normalisation, casts, packing, folding.
#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Normalize& op, const Node& node) {
  Shape y = need(node, 0);
  if (y.c > 4 || op.channels < y.c || (op.order == ChannelOrder::bgr && y.c != 3))
    shape_error(node, "images have 1 to 4 channels, of which three have an order");
  y.c = op.channels;
  return {{y, op.to}};
}

std::vector<Spec> infer(const Cast& op, const Node& node) { return {{need(node, 0), op.to}}; }

void grad(Graph& g, Value y, const Cast&, Value dy, GradSink& out) {
  if (out.need(0)) out.add(0, g.add(Cast{g.node(y).inputs[0].spec().dtype}, {dy}));
}

std::vector<Spec> infer(const FoldBn&, const Node& node) {
  const Shape& w = need(node, 0);
  need(node, 2);
  need(node, 3);
  need(node, 4);
  for (size_t i = 1; i <= 5; ++i) need_vector(node, i, w.n);
  return {{w, DType::f32}, {vector_shape(w.n), DType::f32}};
}

std::vector<Spec> infer(const Pack& op, const Node& node) {
  need(node, 0);
  return {{vector_shape(op.bytes), DType::u8}};
}

}  // namespace xf
