#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/optimize.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

constexpr size_t kInputs = 5, kOutputs = 4;  // a tensor's operands

class OptimizeKernel final : public Kernel {
 public:
  OptimizeKernel(const Optimize& op, const Node& node)
      : op_(op), label_(fmt::format("{}: optimize {} tensors", node.name, op.tensors.size())) {
    std::vector<int64_t> trained;
    for (size_t t = 0; t < op.tensors.size(); ++t) {
      counts_.push_back(node.inputs[parameter(t)].shape().count());
      if (node.inputs[parameter(t) + 1]) trained.push_back(counts_.back());
    }
    workspace_ = optimize_workspace(trained);
  }

  [[nodiscard]] std::string impl() const override { return "xf:optimize"; }
  [[nodiscard]] size_t workspace() const override { return workspace_; }
  [[nodiscard]] bool in_place(int output, int input) const override {
    if (output < 2 || input < 1) return false;
    if (input == static_cast<int>(parameter(counts_.size())))
      return output == static_cast<int>(2 + kOutputs * counts_.size());
    const auto o = static_cast<size_t>(output - 2), i = static_cast<size_t>(input - 1);
    constexpr std::array<size_t, kOutputs> kReplaced{0, 2, 3, 4};  // all but the gradient
    return o / kOutputs == i / kInputs && i % kInputs == kReplaced[o % kOutputs];
  }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const auto results = operands.subspan(2 + kInputs * counts_.size());
    std::vector<OptimizeTensor> tensors;
    for (size_t t = 0; t < counts_.size(); ++t) {
      const auto from = [&](size_t i) { return operands[parameter(t) + i].as<const float>(); };
      const auto to = [&](size_t i) { return results[2 + kOutputs * t + i].as<float>(); };
      tensors.push_back(
          {counts_[t], from(0), from(1), from(2), from(3), from(4), to(0), to(1), to(2), to(3)});
    }
    const OptimizeStep step{
        operands[0].as<const StepParams>(), operands[parameter(counts_.size())].as<const float>(),
        results[2 + kOutputs * counts_.size()].as<float>(), results[0].as<float>(), results[1].as<float>()};
    const int status = optimize(op_, step, tensors, scratch.data, cuda_stream(stream).use());
    check(static_cast<cudaError_t>(status), label_);
  }

 private:
  /// Behind the last tensor: the loss scale.
  static size_t parameter(size_t tensor) { return 1 + kInputs * tensor; }

  Optimize op_;
  std::vector<int64_t> counts_;
  size_t workspace_ = 0;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Optimize& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<OptimizeKernel>(op, node);
}

}  // namespace xf::cuda
