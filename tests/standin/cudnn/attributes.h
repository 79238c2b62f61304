#pragma once
// Which attributes each type of descriptor has, of which types, and who gives them.

#include <cudnn_graph.h>

#include <cstddef>
#include <vector>

namespace xf::standin::cudnn {

enum class Giver { caller, caller_optional, library };

struct AttributeRule {
  cudnnBackendAttributeName_t name;
  std::vector<cudnnBackendAttributeType_t> types;  ///< any of these
  Giver giver = Giver::caller;
};

/// The attributes of a descriptor type. Throws Failure for a type that is not emulated.
const std::vector<AttributeRule>& attributes_of(cudnnBackendDescriptorType_t type);

/// The rule of one of them. Throws Failure when the descriptor has no such attribute.
const AttributeRule& attribute_rule(cudnnBackendDescriptorType_t type, cudnnBackendAttributeName_t name);

/// Bytes of an element.
size_t size_of(cudnnBackendAttributeType_t type);

}  // namespace xf::standin::cudnn
