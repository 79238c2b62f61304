#include <fmt/format.h>

#include "kernels/cuda/bias_grad.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

class BiasGradKernel final : public Kernel {
 public:
  explicit BiasGradKernel(const Node& node)
      : rows_(node.inputs[0].shape().rows()),
        channels_(static_cast<int>(node.inputs[0].shape().c)),
        dtype_(activation_type(node, {0})),
        label_(fmt::format("{}: bias_grad on {}", node.name, to_string(node.inputs[0].shape()))) {}

  [[nodiscard]] std::string impl() const override { return "xf:bias_grad"; }
  [[nodiscard]] size_t workspace() const override { return bias_grad_workspace(rows_, channels_); }
  [[nodiscard]] bool strided(int operand) const override { return operand == 0; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const Ref &dy = operands[0], &db = operands[1];
    const BiasGradTensors t{rows_, channels_, dtype_, dy.data, dy.row_stride, db.as<float>()};
    const int status = bias_grad(t, scratch.data, cuda_stream(stream).use());
    check(static_cast<cudaError_t>(status), label_);
  }

 private:
  int64_t rows_;
  int channels_;
  DType dtype_;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const BiasGrad& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<BiasGradKernel>(node);
}

}  // namespace xf::cuda
