#pragma once
// Kernels that read packed weights: convolutions, dense layers, and the data gradients of both.

#include "kernels/cpu/dnnl_call.h"
#include "kernels/cpu/dnnl_layout.h"

namespace xf::cpu::dnn {

/// One primitive argument and the kernel operand that it is.
struct Operand {
  int number;
  Argument argument;
};

/// Whether the first output starts as the residual, which the primitive adds to.
struct Residual {
  int operand = -1;  ///< the input that output 0 must share memory with; -1: none
};

/// A primitive over (data, packed weights, …), run once for each part of the batch. Operand 1 is the weights.
class WeightedKernel : public Kernel {
 public:
  WeightedKernel(Built built, const std::vector<Operand>& operands, Partition partition, Layout weights,
                 Residual residual = {});
  [[nodiscard]] std::string impl() const override { return call_.impl(); }
  [[nodiscard]] size_t workspace() const override;
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? weights_ : Layout{}; }
  [[nodiscard]] int accumulates_into(int output) const override {
    return output == 0 ? residual_.operand : -1;
  }
  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override;

 private:
  std::vector<int> numbers_;
  Partition partition_;
  Call call_;
  Layout weights_;
  Residual residual_;
};

}  // namespace xf::cpu::dnn
