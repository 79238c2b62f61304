#pragma once
// Kernels that read packed weights: dense layers, and the data gradients of convolutions and dense layers.

#include "kernels/cpu/dnnl_call.h"
#include "kernels/cpu/dnnl_layout.h"

namespace xf::cpu::dnn {

/// One primitive argument and the kernel operand that it is.
struct Operand {
  int number;
  Argument argument;
};

/// A primitive over (data, packed weights, …), run once for each part of the batch. Operand 1 is the weights.
class WeightedKernel : public Kernel {
 public:
  WeightedKernel(Built built, const std::vector<Operand>& operands, Partition partition, Layout weights);
  [[nodiscard]] std::string impl() const override { return call_.impl(); }
  [[nodiscard]] size_t workspace() const override;
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? weights_ : Layout{}; }
  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override;

 private:
  std::vector<int> numbers_;
  Partition partition_;
  Call call_;
  Layout weights_;
};

}  // namespace xf::cpu::dnn
