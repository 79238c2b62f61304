#include "kernels/cuda/weighted.h"

#include <fmt/format.h>

#include <string>

#include "engine/core/error.h"

namespace xf::cuda {

void same_type(const Node& node, const Spec& a, const Spec& b) {
  if (a.dtype != b.dtype)
    throw InternalError(label(node), fmt::format("mixes {} and {}", name(a.dtype), name(b.dtype)));
}

std::string label(const Node& node) {
  std::string text = fmt::format("{} ({}) of", node.name, op_name(node.op));
  for (const Value& v : node.inputs)
    if (v) text += fmt::format(" {} {}", name(v.spec().dtype), to_string(v.shape()));
  return text;
}

}  // namespace xf::cuda
