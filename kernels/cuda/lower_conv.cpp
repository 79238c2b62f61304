// Convolutions and their two gradients.
//
// Operands are dense. cuDNN plans take rows with gaps too, but where its fast engines do not, they copy the
// operand to as much workspace first: the plan's own copy costs no more, and leaves cuDNN a free choice.

#include <fmt/format.h>

#include <algorithm>
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

class ConvBwdWeightsKernel final : public Kernel {
 public:
  ConvBwdWeightsKernel(const ConvBwdWeights& op, const Node& node, const Context& context)
      : convolution_(problem(ConvKind::weight_gradient, op.conv, node.inputs[0].spec(),
                             node.inputs[1].shape(), context),
                     context, label(node)) {}

  [[nodiscard]] std::string impl() const override { return convolution_.impl(); }
  [[nodiscard]] size_t workspace() const override { return convolution_.workspace(); }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    convolution_.run(cuda_stream(stream).use(), {operands[0].data, operands[2].data, operands[1].data},
                     scratch.data);
  }

 private:
  Convolution convolution_;
};

/// A weight gradient from bf16 or f16. cuDNN would round it to that type: no engine of it writes f32 (9.19).
/// So both operands are widened and multiplied as TF32, whose 10 bits of mantissa hold either type's numbers:
/// the products are exact and the sums f32. A few images at a time are widened, to bound the memory; their
/// gradients are added up in f32, in order.
class WidenedBwdWeightsKernel final : public Kernel {
 public:
  WidenedBwdWeightsKernel(const ConvBwdWeights& op, const Node& node, const Context& context)
      : type_(node.inputs[0].spec().dtype),
        x_(node.inputs[0].shape()),
        dy_(node.inputs[1].shape()),
        dw_(op.weights.count()),
        images_(images_at_once(x_, dy_, context.libraries->workspace_limit())),
        label_(label(node)),
        convolution_(part(op, context), context, label_) {}

  [[nodiscard]] std::string impl() const override { return convolution_.impl() + "+widen"; }
  [[nodiscard]] size_t workspace() const override {
    return x_bytes() + dy_bytes() + sum_bytes() + convolution_.workspace();
  }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    cudaStream_t queue = cuda_stream(stream).use();
    auto* x = reinterpret_cast<float*>(scratch.data);
    auto* dy = reinterpret_cast<float*>(scratch.data + x_bytes());
    auto* term = reinterpret_cast<float*>(scratch.data + x_bytes() + dy_bytes());
    std::byte* workspace = scratch.data + x_bytes() + dy_bytes() + sum_bytes();
    auto* dw = operands[2].as<float>();
    for (int64_t image = 0; image < x_.n; image += images_) {
      widen_part(operands[0], x_, image, x, queue);
      widen_part(operands[1], dy_, image, dy, queue);
      convolution_.run(queue, {x, image == 0 ? dw : term, dy}, workspace);
      if (image != 0) check(static_cast<cudaError_t>(add_to(dw, term, dw_, queue)), label_);
    }
  }

 private:
  static int64_t per_image(const Shape& s) { return s.h * s.w * s.c; }

  /// The most that divide the batch, so that one plan does for all parts, and whose f32 operands take a
  /// quarter of the limit; one image at least.
  static int64_t images_at_once(const Shape& x, const Shape& dy, size_t limit) {
    const auto most = static_cast<int64_t>(limit / 4 / sizeof(float));
    int64_t images = std::clamp<int64_t>(most / (per_image(x) + per_image(dy)), 1, x.n);
    while (x.n % images != 0) --images;
    return images;
  }

  [[nodiscard]] ConvProblem part(const ConvBwdWeights& op, const Context& context) const {
    Spec x{x_, DType::f32};
    Shape dy = dy_;
    x.shape.n = dy.n = images_;
    ConvProblem p = problem(ConvKind::weight_gradient, op.conv, x, dy, context);
    p.math = Math::tf32;
    return p;
  }

  void widen_part(const Ref& from, const Shape& s, int64_t image, float* to, cudaStream_t queue) const {
    const int64_t begin = image * per_image(s);
    const std::byte* first = from.data + static_cast<size_t>(begin) * size_of(type_);
    check(static_cast<cudaError_t>(widen(first, type_, to, images_ * per_image(s), queue)), label_);
  }

  [[nodiscard]] size_t widened_bytes(const Shape& s) const {
    return aligned(static_cast<size_t>(images_ * per_image(s)) * sizeof(float));
  }
  [[nodiscard]] size_t x_bytes() const { return widened_bytes(x_); }
  [[nodiscard]] size_t dy_bytes() const { return widened_bytes(dy_); }
  [[nodiscard]] size_t sum_bytes() const {
    return images_ == x_.n ? 0 : aligned(static_cast<size_t>(dw_) * sizeof(float));
  }

  DType type_;
  Shape x_, dy_;
  int64_t dw_;
  int64_t images_;
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
  if (x.dtype == DType::f32) return std::make_unique<ConvBwdWeightsKernel>(op, node, context);
  const Conv2d& c = op.conv;
  if (c.kernel_h * c.kernel_w * c.stride_h * c.stride_w == 1 && c.pad == Padding{})
    return product_gradient(node, {x.shape.rows(), x.shape.c, dy.shape.c}, context);
  return std::make_unique<WidenedBwdWeightsKernel>(op, node, context);
}

}  // namespace xf::cuda
