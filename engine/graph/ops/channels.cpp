// Concatenation and slices along the channels.
#include <fmt/format.h>

#include "engine/graph/grad.h"
#include "engine/graph/infer.h"

namespace xf {

std::vector<Spec> infer(const Concat&, const Node& node) {
  Shape y = need(node, 0);
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Shape& x = need(node, i);
    if (x.n != y.n || x.h != y.h || x.w != y.w) shape_error(node, "operands may differ in channels alone");
    y.c += x.c;
  }
  return {{y, node.inputs[0].spec().dtype}};
}

std::vector<Spec> infer(const Slice& op, const Node& node) {
  Shape y = need(node, 0);
  if (op.begin < 0 || op.channels < 1 || op.begin + op.channels > y.c)
    shape_error(node, fmt::format("channels {} to {} are not all there", op.begin, op.begin + op.channels));
  y.c = op.channels;
  return {{y, node.inputs[0].spec().dtype}};
}

void grad(Graph& g, Value y, const Concat&, Value dy, GradSink& out) {
  int64_t begin = 0;
  const Node& n = g.node(y);
  for (size_t i = 0; i < n.inputs.size(); ++i) {
    const int64_t channels = n.inputs[i].shape().c;
    if (out.need(i)) out.add(i, g.add(Slice{begin, channels}, {dy}));
    begin += channels;
  }
}

}  // namespace xf
