#pragma once
// Kernels that compute the gradient of weights, which sums over the batch: (x, dy) → (dw, f32).

#include "kernels/cpu/dnnl_call.h"

namespace xf::cpu::dnn {

/// The parts of a batch add into at most four accumulators, each in the order of the parts; the accumulators
/// are then added in order. So the result does not depend on how many threads there are.
class WeightGradient : public Kernel {
 public:
  /// What the primitive reads (the kernel's operands 0 and 1) and makes. `made` is what it makes in the
  /// logical dimensions of the result.
  struct Operands {
    Argument x, dy, dw;
    Desc made;
  };
  /// `result` is the arrangement of operand 2.
  WeightGradient(Built built, const Operands& operands, const Desc& result, Partition partition);
  [[nodiscard]] std::string impl() const override { return call_.impl(); }
  [[nodiscard]] size_t workspace() const override;
  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override;

 private:
  [[nodiscard]] size_t accumulator_bytes() const;
  void sum_accumulators(std::byte* scratch) const;
  Partition partition_;
  int64_t accumulators_;
  size_t sum_bytes_;      ///< of one accumulator
  size_t partial_bytes_;  ///< of one part's own result, where an accumulator takes several; else 0
  bool in_place_;         ///< the primitive writes the result itself
  Call call_, arrange_;
};

}  // namespace xf::cpu::dnn
