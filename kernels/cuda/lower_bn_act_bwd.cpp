#include <fmt/format.h>

#include "kernels/cuda/bn_act_bwd.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

class BnActBwdKernel final : public Kernel {
 public:
  BnActBwdKernel(const BnActBwd& op, const Node& node)
      : bn_(op.bn),
        rows_(node.inputs[kX].shape().rows()),
        channels_(static_cast<int>(node.inputs[kX].shape().c)),
        dtype_(activation_type(node, {kDy, kX, kY})),
        inputs_(node.inputs.size()),
        label_(fmt::format("{}: bn_act_bwd on {}", node.name, to_string(node.inputs[kX].shape()))) {}

  [[nodiscard]] std::string impl() const override { return "xf:bn_act_bwd"; }
  [[nodiscard]] size_t workspace() const override { return bn_act_bwd_workspace(rows_, channels_); }
  [[nodiscard]] bool strided(int operand) const override {
    const int output = operand - static_cast<int>(inputs_);
    return operand <= kY || output == kDx || output == kDresidual;
  }
  [[nodiscard]] bool in_place(int output, int input) const override {
    return (output == kDx || output == kDresidual) && input <= kY;
  }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const Operands of(operands, inputs_);
    BnActBwdTensors t;
    t.rows = rows_;
    t.channels = channels_;
    t.dtype = dtype_;
    t.mode = bn_.mode;
    t.act = bn_.act;
    t.dy = of.in(kDy).data;
    t.dy_stride = of.in(kDy).row_stride;
    t.x = of.in(kX).data;
    t.x_stride = of.in(kX).row_stride;
    t.y = of.in(kY).data;
    t.y_stride = of.in(kY).row_stride;
    t.gamma = of.in(kGamma).as<float>();
    t.mean = of.in(kMean).as<float>();
    t.inv_std = of.in(kInvStd).as<float>();
    t.beta = of.in(kBeta).as<float>();
    t.dx = of.out(kDx).data;
    t.dx_stride = of.out(kDx).row_stride;
    t.dgamma = of.out(kDgamma).as<float>();
    t.dbeta = of.out(kDbeta).as<float>();
    t.dresidual = of.out(kDresidual).data;
    t.dresidual_stride = of.out(kDresidual).row_stride;
    const int status = bn_act_bwd(t, scratch.data, cuda_stream(stream).use());
    check(static_cast<cudaError_t>(status), label_);
  }

 private:
  enum Input : int { kDy, kX, kY, kGamma, kMean, kInvStd, kBeta };
  enum Output : int { kDx, kDgamma, kDbeta, kDresidual };
  BnAct bn_;
  int64_t rows_;
  int channels_;
  DType dtype_;
  size_t inputs_;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const BnActBwd& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<BnActBwdKernel>(op, node);
}

}  // namespace xf::cuda
