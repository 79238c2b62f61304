#pragma once
// What convolutions and dense layers have in common: operands that are weights.

#include <string>

#include "engine/graph/graph.h"
#include "engine/run/backend.h"
#include "kernels/cuda/weight_layout.h"

namespace xf::cuda {

/// The arrangement in which a layer that computes in `type` wants a constant f32 operand: as it is in f32,
/// else rounded to that type.
inline Layout rounded_layout(const Shape& shape, DType type) {
  if (type == DType::f32) return {};
  const uint64_t id = layout_id(type, static_cast<int>(shape.c));
  return {id, layout_bytes(shape, id)};
}

/// Throws InternalError unless both have one element type.
void same_type(const Node& node, const Spec& a, const Spec& b);

/// "layer1.0.conv1 (conv2d) of f32 16x56x56x64 f32 64x3x3x64": a node for people.
std::string label(const Node& node);

}  // namespace xf::cuda
