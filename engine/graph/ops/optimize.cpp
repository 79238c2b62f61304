// What a step does to the parameters.
#include "engine/graph/infer.h"

namespace xf {

namespace {
constexpr Spec kLossScale{{1, 1, 1, 2}, DType::f32};
}

std::vector<Spec> infer(const Accumulate&, const Node& node) {
  if (node.inputs.size() % 2 != 1) shape_error(node, "sums and gradients come in pairs");
  std::vector<Spec> sums;
  for (size_t i = 1; i + 1 < node.inputs.size(); i += 2) {
    if (need(node, i) != need(node, i + 1)) shape_error(node, "a sum and its gradient must have one shape");
    sums.push_back({node.inputs[i].shape(), DType::f32});
  }
  return sums;
}

std::vector<Spec> infer(const Optimize& op, const Node& node) {
  constexpr size_t kPerTensor = 5;
  if (node.inputs.size() != 2 + kPerTensor * op.tensors.size())
    shape_error(node, "an update needs five operands a tensor, a step and a loss scale");
  const Spec scalar{{1, 1, 1, 1}, DType::f32};
  std::vector<Spec> out{scalar, scalar};
  for (size_t i = 1; i + 1 < node.inputs.size(); i += kPerTensor) {
    for (size_t j = 0; j < kPerTensor; ++j) {
      if (node.inputs[i + j] && node.inputs[i + j].shape() != need(node, i))
        shape_error(node, "a parameter and its gradient and moments must have one shape");
      if (j != 1) out.push_back({node.inputs[i].shape(), DType::f32});
    }
  }
  if (node.inputs.back() && node.inputs.back().spec() != kLossScale)
    shape_error(node, "a loss scale is two numbers");
  out.push_back(kLossScale);
  return out;
}

std::vector<Spec> infer(const LossSeed&, const Node& node) {
  if (node.inputs.size() != 1 || node.inputs[0].spec() != kLossScale)
    shape_error(node, "a loss scale is two numbers");
  return {{{1, 1, 1, 1}, DType::f32}};
}

}  // namespace xf
