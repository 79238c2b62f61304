#pragma once
// One operation on a device, with memory and numbers for its operands.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf::bench {

class OpRun {
 public:
  /// Lowers the node and fills its inputs with numbers (operand_numbers.h). `operands` as operands_of() gives
  /// them. Throws UnavailableError where the backend has no kernel for the node.
  OpRun(Backend& backend, const Node& node, std::span<const Value> operands, Math math);
  /// Queues one run.
  void once() { kernel_->run(stream_, operands_, {scratch_.data.get(), scratch_.bytes}); }
  [[nodiscard]] Stream& stream() { return stream_; }
  [[nodiscard]] std::string impl() const { return kernel_->impl(); }
  /// Inputs, then outputs; absent ones have no data.
  [[nodiscard]] std::span<const Ref> operands() const { return operands_; }
  /// Reads an operand from elsewhere from now on: dense memory of the same spec.
  void bind(size_t operand, const Ref& elsewhere) { operands_[operand] = elsewhere; }

 private:
  Buffer reserve(size_t bytes);
  void fill(const Buffer& buffer, const Node& node, size_t input);
  void pack(const Buffer& plain, const Spec& spec, const Layout& layout, const Buffer& packed);

  Backend& backend_;
  Stream& stream_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<Buffer> memory_;
  std::vector<Ref> operands_;
  Buffer scratch_;
};

}  // namespace xf::bench
