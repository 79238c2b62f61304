#include "engine/train/network.h"

#include <algorithm>

namespace xf {

Value record_input(Graph& graph, const NetworkSpec& spec, int64_t batch, InputKind kind) {
  const Shape shape{batch, spec.height, spec.width, spec.channels};
  if (kind == InputKind::tensor) return graph.input("tensor", {shape, DType::f32});
  const Normalization n = normalization(spec.preprocess);
  Normalize op;
  op.channels = spec.channels;
  op.order = n.order;
  std::copy(n.scale.begin(), n.scale.end(), op.scale.begin());
  std::copy(n.shift.begin(), n.shift.end(), op.shift.begin());
  graph.set_scope("normalize");
  return graph.add(op, {graph.input("images", {shape, DType::u8})});
}

}  // namespace xf
