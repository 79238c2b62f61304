#include <fmt/format.h>

#include <utility>

#include "kernels/cuda/bn_act.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

class BnActKernel final : public Kernel {
 public:
  BnActKernel(const BnAct& op, const Node& node)
      : op_(op),
        rows_(node.inputs[kX].shape().rows()),
        channels_(static_cast<int>(node.inputs[kX].shape().c)),
        dtype_(activation_type(node, {kX, kResidual})),
        inputs_(node.inputs.size()),
        label_(fmt::format("{}: bn_act on {}", node.name, to_string(node.inputs[kX].shape()))) {}

  [[nodiscard]] std::string impl() const override { return "xf:bn_act"; }
  [[nodiscard]] size_t workspace() const override {
    return op_.mode == BnMode::batch ? bn_act_workspace(rows_, channels_) : 0;
  }
  [[nodiscard]] bool strided(int operand) const override {
    return operand == kX || operand == kResidual || operand == static_cast<int>(inputs_);
  }
  [[nodiscard]] bool in_place(int output, int input) const override {
    switch (output) {
      case 0: return input == kX || input == kResidual;
      case 3: return input == kRunningMean;
      case 4: return input == kRunningVar;
      default: return false;
    }
  }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const Operands of(operands, inputs_);
    BnActTensors t;
    t.rows = rows_;
    t.channels = channels_;
    t.dtype = dtype_;
    t.x = of.in(kX).data;
    t.x_stride = of.in(kX).row_stride;
    t.residual = of.in(kResidual).data;
    t.residual_stride = of.in(kResidual).row_stride;
    t.y = of.out(0).data;
    t.y_stride = of.out(0).row_stride;
    t.gamma = of.in(kGamma).as<float>();
    t.beta = of.in(kBeta).as<float>();
    t.mean = of.out(1).as<float>();
    t.inv_std = of.out(2).as<float>();
    t.eps = op_.eps;
    t.act = op_.act;
    const BnRunning running{of.in(kRunningMean).as<float>(), of.in(kRunningVar).as<float>(),
                            of.out(3).as<float>(), of.out(4).as<float>(), op_.momentum};
    cudaStream_t queue = cuda_stream(stream).use();
    const int status = op_.mode == BnMode::batch ? bn_act_batch(t, running, scratch.data, queue)
                                                 : bn_act_running(t, running, queue);
    check(static_cast<cudaError_t>(status), label_);
  }

 private:
  enum Input : int { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual };
  BnAct op_;
  int64_t rows_;
  int channels_;
  DType dtype_;
  size_t inputs_;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const BnAct& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<BnActKernel>(op, node);
}

}  // namespace xf::cuda
