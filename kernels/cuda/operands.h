#pragma once
// A node's operands as a kernel's launcher wants them.

#include <cstddef>
#include <initializer_list>
#include <span>

#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf::cuda {

/// The operands of one run.
class Operands {
 public:
  /// `all`: `inputs` inputs, then the outputs.
  Operands(std::span<const Ref> all, size_t inputs) : all_(all), inputs_(inputs) {}
  /// Input `index`; empty where it is absent or left off the end.
  [[nodiscard]] Ref in(size_t index) const { return index < inputs_ ? all_[index] : Ref{}; }
  /// Output `index`; empty where nobody wants it.
  [[nodiscard]] Ref out(size_t index) const { return all_[inputs_ + index]; }

 private:
  std::span<const Ref> all_;
  size_t inputs_;
};

/// The common type of those inputs that are there. Throws UnavailableError unless it is f32, bf16 or f16 and
/// one type.
DType activation_type(const Node& node, std::initializer_list<size_t> inputs);

}  // namespace xf::cuda
