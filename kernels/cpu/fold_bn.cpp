// Batch normalisation with fixed statistics folded into the convolution before it.

#include <cmath>

#include "engine/core/threads.h"
#include "kernels/cpu/lower.h"

namespace xf::cpu {

namespace {

class FoldBnKernel : public Kernel {
 public:
  FoldBnKernel(const FoldBn& op, const Shape& weights, size_t inputs)
      : eps_(op.eps), weights_(weights), inputs_(inputs) {}
  [[nodiscard]] std::string impl() const override { return "xf:fold_bn"; }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const auto of = [&](size_t i) {
      return i < inputs_ && operands[i] ? operands[i].as<const float>() : nullptr;
    };
    const float *w = of(0), *gamma = of(1), *beta = of(2), *mean = of(3), *var = of(4), *bias = of(5);
    auto *folded = operands[inputs_].as<float>(), *folded_bias = operands[inputs_ + 1].as<float>();
    const int64_t taps = weights_.h * weights_.w * weights_.c;
    parallel_for(weights_.n, [&](int64_t o) {
      // In double, as this is done once: the folded network should differ from the original by one rounding.
      const double scale =
          (gamma != nullptr ? gamma[o] : 1.0) / std::sqrt(static_cast<double>(var[o]) + eps_);
      const double shift = bias != nullptr ? bias[o] : 0.0;
      folded_bias[o] = static_cast<float>((shift - mean[o]) * scale + beta[o]);
      for (int64_t i = o * taps; i < (o + 1) * taps; ++i) folded[i] = static_cast<float>(w[i] * scale);
    });
  }

 private:
  double eps_;
  Shape weights_;
  size_t inputs_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const FoldBn& op, const Node& node, const Context&) {
  return std::make_unique<FoldBnKernel>(op, node.inputs[0].shape(), node.inputs.size());
}

}  // namespace xf::cpu
