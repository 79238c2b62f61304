// Convolutions and their two gradients.
//
// Operands are dense. cuDNN plans take rows with gaps too, but where its fast engines do not, they copy the
// operand to as much workspace first: the plan's own copy costs no more, and leaves cuDNN a free choice.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "engine/core/aligned.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/conv_choice.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/stream.h"
#include "kernels/cuda/weight_product.h"
#include "kernels/cuda/weighted.h"
#include "kernels/cuda/widen.h"

namespace xf::cuda {
namespace {

/// A problem with the engine that runs it.
class Convolution {
 public:
  Convolution(const ConvProblem& problem, const Context& context, const std::string& label)
      : libraries_(context.libraries) {
    try {
      PlanTarget target;
      target.handle = libraries_->cudnn();
      plans_ = std::make_unique<ConvPlans>(problem, target, libraries_->workspace_limit());
      engine_ = choose_engine(*plans_, problem, *libraries_, context.determinism);
    } catch (const UnavailableError& e) {
      throw UnavailableError(label, e.what(), e.remedy());
    }
  }

  [[nodiscard]] std::string impl() const {
    const std::string& name = plans_->engine(engine_);
    return "cudnn:" + name.substr(0, name.find("_k"));
  }
  [[nodiscard]] size_t workspace() const { return plans_->workspace(engine_); }
  void run(cudaStream_t queue, const ConvOperands& operands, void* workspace) const {
    libraries_->queue_cudnn_on(queue);
    plans_->run(engine_, operands, workspace);
  }

 private:
  std::shared_ptr<Libraries> libraries_;
  std::unique_ptr<ConvPlans> plans_;
  int engine_ = 0;
};

/// The problem of a node before its epilogue.
ConvProblem problem(ConvKind kind, const Conv2d& window, const Spec& x, const Shape& y,
                    const Context& context) {
  ConvProblem p;
  p.kind = kind;
  p.type = x.dtype;
  p.math = context.math;
  p.window = window;
  p.window.act = Activation::none;
  p.x = x.shape;
  p.y = y;
  return p;
}

bool present(const Node& node, size_t input) { return node.inputs.size() > input && node.inputs[input]; }

/// cuDNN fuses residual and activation only together with a bias, and takes that in the type of the
/// activations: where there is none, zeros stand in.
class ConvKernel final : public Kernel {
 public:
  ConvKernel(const Conv2d& op, const Node& node, const Context& context)
      : type_(node.inputs[0].spec().dtype),
        output_(node.inputs.size()),
        bias_(present(node, 2)),
        residual_(present(node, 3)),
        zeros_(!bias_ && (residual_ || op.act != Activation::none)),
        weights_(rounded_layout(node.inputs[1].shape(), type_)),
        vector_(vector_shape(node.outputs[0].shape.c)),
        label_(label(node)),
        convolution_(fused(op, node, context), context, label_) {}

  [[nodiscard]] std::string impl() const override { return convolution_.impl(); }
  [[nodiscard]] size_t workspace() const override { return aligned(zero_bytes()) + convolution_.workspace(); }
  [[nodiscard]] Layout wants(int operand) const override {
    if (operand == 1) return weights_;
    return operand == 2 && bias_ ? rounded_layout(vector_, type_) : Layout{};
  }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    cudaStream_t queue = cuda_stream(stream).use();
    ConvOperands o{operands[0].data, operands[1].data, operands[output_].data};
    if (residual_) o.residual = operands[3].data;
    if (bias_) o.bias = operands[2].data;
    if (zeros_) {
      o.bias = scratch.data;
      check(cudaMemsetAsync(scratch.data, 0, zero_bytes(), queue), label_);
    }
    convolution_.run(queue, o, scratch.data + aligned(zero_bytes()));
  }

 private:
  [[nodiscard]] ConvProblem fused(const Conv2d& op, const Node& node, const Context& context) const {
    ConvProblem p = problem(ConvKind::forward, op, node.inputs[0].spec(), node.outputs[0].shape, context);
    p.window.act = op.act;
    p.residual = residual_;
    p.bias = bias_ || zeros_;
    if (residual_) same_type(node, node.inputs[0].spec(), node.inputs[3].spec());
    return p;
  }
  [[nodiscard]] size_t zero_bytes() const { return zeros_ ? Spec{vector_, type_}.bytes() : 0; }

  DType type_;
  size_t output_;
  bool bias_, residual_, zeros_;
  Layout weights_;
  Shape vector_;
  std::string label_;
  Convolution convolution_;
};

class ConvBwdDataKernel final : public Kernel {
 public:
  ConvBwdDataKernel(const ConvBwdData& op, const Node& node, const Context& context)
      : weights_(rounded_layout(node.inputs[1].shape(), node.inputs[0].spec().dtype)),
        convolution_(
            problem(ConvKind::data_gradient, op.conv, node.outputs[0], node.inputs[0].shape(), context),
            context, label(node)) {}

  [[nodiscard]] std::string impl() const override { return convolution_.impl(); }
  [[nodiscard]] size_t workspace() const override { return convolution_.workspace(); }
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? weights_ : Layout{}; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    convolution_.run(cuda_stream(stream).use(), {operands[2].data, operands[1].data, operands[0].data},
                     scratch.data);
  }

 private:
  Layout weights_;
  Convolution convolution_;
};

/// cuDNN sums in f32 and writes the gradient in the type of its operands. So from bf16 or f16 it is rounded
/// once, as under PyTorch's autocast, and then widened to the f32 that the update takes.
class ConvBwdWeightsKernel final : public Kernel {
 public:
  ConvBwdWeightsKernel(const ConvBwdWeights& op, const Node& node, const Context& context)
      : type_(node.inputs[0].spec().dtype),
        count_(op.weights.count()),
        label_(label(node)),
        convolution_(problem(ConvKind::weight_gradient, op.conv, node.inputs[0].spec(),
                             node.inputs[1].shape(), context),
                     context, label_) {}

  [[nodiscard]] std::string impl() const override {
    return convolution_.impl() + (type_ == DType::f32 ? "" : "+widen");
  }
  [[nodiscard]] size_t workspace() const override { return rounded_bytes() + convolution_.workspace(); }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    cudaStream_t queue = cuda_stream(stream).use();
    const bool widened = type_ != DType::f32;
    void* dw = widened ? scratch.data : operands[2].data;
    convolution_.run(queue, {operands[0].data, dw, operands[1].data}, scratch.data + rounded_bytes());
    if (widened)
      check(static_cast<cudaError_t>(widen(dw, type_, operands[2].as<float>(), count_, queue)), label_);
  }

 private:
  [[nodiscard]] size_t rounded_bytes() const {
    return type_ == DType::f32 ? 0 : aligned(static_cast<size_t>(count_) * size_of(type_));
  }

  DType type_;
  int64_t count_;
  std::string label_;
  Convolution convolution_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Conv2d& op, const Node& node, const Context& context) {
  return std::make_unique<ConvKernel>(op, node, context);
}

std::unique_ptr<Kernel> lower(const ConvBwdData& op, const Node& node, const Context& context) {
  return std::make_unique<ConvBwdDataKernel>(op, node, context);
}

std::unique_ptr<Kernel> lower(const ConvBwdWeights& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &dy = node.inputs[1].spec();
  same_type(node, x, dy);
  if (x.dtype != DType::f32 && is_product(op.conv))
    return product_gradient(node, {x.shape.rows(), x.shape.c, dy.shape.c}, context);
  return std::make_unique<ConvBwdWeightsKernel>(op, node, context);
}

}  // namespace xf::cuda
