#pragma once
// Shape inference: one overload an operation, beside its gradient in engine/graph/ops/.

#include <vector>

#include "engine/graph/graph.h"

namespace xf {

/// The specs of an operation's outputs, from its inputs. Throws ShapeError through Operands.
#define XF_OP(Name, text) std::vector<Spec> infer(const Name& op, const Node& node);
#include "engine/graph/ops.def"
#undef XF_OP

/// Throws ShapeError for `node` (named by its scope and operation), with all its operands' shapes.
[[noreturn]] void shape_error(const Node& node, const std::string& reason);

/// The shape of input `index`; throws when it is absent.
const Shape& need(const Node& node, size_t index);

/// Throws unless input `index` is absent or a vector of `channels` numbers.
void need_vector(const Node& node, size_t index, int64_t channels);

/// ceil or floor of a pooled extent.
enum class Rounding : uint8_t { floor, ceil };

/// The output extent of a window of `kernel` moved by `stride` over `in` plus both paddings.
constexpr int64_t window_extent(int64_t in, int kernel, int stride, int before, int after) {
  return (in + before + after - kernel) / stride + 1;
}

}  // namespace xf
