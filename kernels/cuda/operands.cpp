#include "kernels/cuda/operands.h"

#include <fmt/format.h>

#include "engine/core/error.h"

namespace xf::cuda {

DType activation_type(const Node& node, std::initializer_list<size_t> inputs) {
  const DType type = node.inputs[*inputs.begin()].spec().dtype;
  const std::string subject = fmt::format("{} ({})", node.name, op_name(node.op));
  if (type != DType::f32 && type != DType::bf16 && type != DType::f16) {
    throw UnavailableError(subject, fmt::format("there is no {} kernel on cuda", name(type)),
                           "use --precision f32, bf16 or f16");
  }
  for (const size_t i : inputs) {
    if (i >= node.inputs.size() || !node.inputs[i]) continue;
    if (const DType other = node.inputs[i].spec().dtype; other != type)
      throw UnavailableError(
          subject, fmt::format("operands of types {} and {} do not go together", name(type), name(other)));
  }
  return type;
}

}  // namespace xf::cuda
