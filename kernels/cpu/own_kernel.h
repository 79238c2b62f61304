#pragma once
// What our own CPU kernels have in common.

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>

#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf::cpu {

/// A kernel of this project, called "xf:NAME:TARGET" after the instruction set it runs on.
class OwnKernel : public Kernel {
 public:
  OwnKernel(const char* name, const Node& node);
  [[nodiscard]] std::string impl() const final { return impl_; }

 protected:
  [[nodiscard]] int inputs() const { return inputs_; }
  /// Input or output `index` of a run; empty where the node has none.
  [[nodiscard]] Ref in(std::span<const Ref> operands, int index) const {
    return index < inputs_ ? operands[static_cast<size_t>(index)] : Ref{};
  }
  [[nodiscard]] Ref out(std::span<const Ref> operands, int index) const {
    return operands[static_cast<size_t>(inputs_) + static_cast<size_t>(index)];
  }

 private:
  std::string impl_;
  int inputs_;
};

/// The instruction set that Highway chose: "avx3".
std::string target_name();
/// Whether the processor converts to bfloat16 itself (AVX512_BF16).
bool has_bf16_instructions();

/// The common type of those inputs that are there. Throws UnavailableError unless it is f32 or bf16 and one
/// type.
DType activation_type(const Node& node, std::initializer_list<size_t> inputs);

/// Throws UnavailableError naming the node.
[[noreturn]] void unsupported(const Node& node, const std::string& reason);

}  // namespace xf::cpu
