#include <fmt/format.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/fold_bn.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

class FoldBnKernel final : public Kernel {
 public:
  FoldBnKernel(const FoldBn& op, const Node& node)
      : eps_(op.eps),
        weights_(node.inputs[0].shape()),
        inputs_(node.inputs.size()),
        label_(fmt::format("{}: fold_bn on {}", node.name, to_string(weights_))) {}

  [[nodiscard]] std::string impl() const override { return "xf:fold_bn"; }
  [[nodiscard]] bool in_place(int output, int input) const override { return output == 0 && input == 0; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    const Operands of(operands, inputs_);
    FoldBnTensors t;
    t.outputs = weights_.n;
    t.taps = weights_.h * weights_.w * weights_.c;
    t.weights = of.in(0).as<float>();
    t.gamma = of.in(1).as<float>();
    t.beta = of.in(2).as<float>();
    t.mean = of.in(3).as<float>();
    t.variance = of.in(4).as<float>();
    t.bias = of.in(5).as<float>();
    t.folded = of.out(0).as<float>();
    t.folded_bias = of.out(1).as<float>();
    t.eps = eps_;
    check(static_cast<cudaError_t>(fold_bn(t, cuda_stream(stream).use())), label_);
  }

 private:
  float eps_;
  Shape weights_;
  size_t inputs_;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const FoldBn& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<FoldBnKernel>(op, node);
}

}  // namespace xf::cuda
