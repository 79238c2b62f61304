#include <fmt/format.h>

#include <utility>

#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/softmax.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

/// What the three kernels have in common: rows of one number a class at operand `rows`.
class RowsKernel : public Kernel {
 public:
  RowsKernel(const char* name, const Node& node, size_t rows)
      : name_(name),
        images_(node.inputs[rows].shape().rows()),
        classes_(node.inputs[rows].shape().c),
        inputs_(static_cast<int>(node.inputs.size())),
        label_(fmt::format("{}: {} on {}", node.name, name, to_string(node.inputs[rows].shape()))) {
    if (node.inputs[rows].spec().dtype != DType::f32) {
      throw UnavailableError(node.name, fmt::format("{} takes f32 alone on cuda", name),
                             "cast the logits to f32");
    }
  }
  [[nodiscard]] std::string impl() const final { return "xf:" + name_; }

 protected:
  [[nodiscard]] int64_t images() const { return images_; }
  [[nodiscard]] int64_t classes() const { return classes_; }
  [[nodiscard]] int inputs() const { return inputs_; }
  [[nodiscard]] Ref in(std::span<const Ref> operands, int index) const {
    return index < inputs_ ? operands[static_cast<size_t>(index)] : Ref{};
  }
  [[nodiscard]] Ref out(std::span<const Ref> operands, int index) const {
    return operands[static_cast<size_t>(inputs_) + static_cast<size_t>(index)];
  }
  /// Labels and weights begin at input `first`.
  [[nodiscard]] XentTargets targets(std::span<const Ref> operands, int first, float smoothing) const {
    return {in(operands, first).as<int32_t>(), in(operands, first + 1).as<float>(),
            in(operands, first + 2).as<float>(), smoothing};
  }
  [[nodiscard]] SoftmaxTensors tensors(const Ref& logits, const Ref& probabilities) const {
    return {images_,
            classes_,
            logits.as<float>(),
            logits.row_stride,
            probabilities.as<float>(),
            probabilities.row_stride};
  }
  void check_queued(int status) const { check(static_cast<cudaError_t>(status), label_); }

 private:
  std::string name_;
  int64_t images_, classes_;
  int inputs_;
  std::string label_;
};

class SoftmaxKernel final : public RowsKernel {
 public:
  explicit SoftmaxKernel(const Node& node) : RowsKernel("softmax", node, 0) {}
  [[nodiscard]] bool strided(int /*operand*/) const override { return true; }
  [[nodiscard]] bool in_place(int /*output*/, int input) const override { return input == 0; }
  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    check_queued(softmax(tensors(in(operands, 0), out(operands, 0)), cuda_stream(stream).use()));
  }
};

class SoftmaxXentKernel final : public RowsKernel {
 public:
  SoftmaxXentKernel(const SoftmaxXent& op, const Node& node)
      : RowsKernel("softmax_xent", node, 0), smoothing_(op.label_smoothing) {}
  [[nodiscard]] size_t workspace() const override { return softmax_xent_workspace(images()); }
  [[nodiscard]] bool strided(int operand) const override { return operand == 0 || operand == inputs() + 1; }
  [[nodiscard]] bool in_place(int output, int input) const override { return output == 1 && input == 0; }
  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const XentResults results{out(operands, 0).as<float>(), out(operands, 2).as<float>(),
                              out(operands, 3).as<float>()};
    check_queued(softmax_xent(tensors(in(operands, 0), out(operands, 1)), targets(operands, 1, smoothing_),
                              results, scratch.data, cuda_stream(stream).use()));
  }

 private:
  float smoothing_;
};

class SoftmaxXentBwdKernel final : public RowsKernel {
 public:
  SoftmaxXentBwdKernel(const SoftmaxXentBwd& op, const Node& node)
      : RowsKernel("softmax_xent_bwd", node, 1), smoothing_(op.label_smoothing) {}
  [[nodiscard]] bool strided(int operand) const override { return operand == 1 || operand == inputs(); }
  [[nodiscard]] bool in_place(int /*output*/, int input) const override { return input == 1; }
  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    const Ref p = in(operands, 1), dlogits = out(operands, 0);
    const XentGradients t{images(),     classes(),           in(operands, 0).as<float>(), p.as<float>(),
                          p.row_stride, dlogits.as<float>(), dlogits.row_stride};
    check_queued(softmax_xent_bwd(t, targets(operands, 2, smoothing_), cuda_stream(stream).use()));
  }

 private:
  float smoothing_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Softmax& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<SoftmaxKernel>(node);
}

std::unique_ptr<Kernel> lower(const SoftmaxXent& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<SoftmaxXentKernel>(op, node);
}

std::unique_ptr<Kernel> lower(const SoftmaxXentBwd& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<SoftmaxXentBwdKernel>(op, node);
}

}  // namespace xf::cuda
