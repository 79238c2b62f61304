// Dense layers and their two gradients, as matrix products.

#include <memory>
#include <string>
#include <utility>

#include "engine/core/aligned.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/stream.h"
#include "kernels/cuda/weight_product.h"
#include "kernels/cuda/weighted.h"
#include "kernels/cuda/widen.h"

namespace xf::cuda {
namespace {

int64_t per_image(const Shape& s) { return s.h * s.w * s.c; }

/// y = act(x · wᵀ + bias). cuBLASLt takes a bias in the type of its result alone; in bf16 and f16 the product
/// goes to memory in f32 (the outputs are few), and bias, activation and the one rounding follow.
class DenseKernel final : public Kernel {
 public:
  DenseKernel(const Dense& op, const Node& node, const Context& context)
      : y_(node.outputs[0]),
        type_(node.inputs[0].spec().dtype),
        inputs_(node.inputs.size()),
        bias_(inputs_ > 2 && node.inputs[2]),
        act_(op.act),
        math_(context.math),
        weights_(rounded_layout(node.inputs[1].shape(), type_)),
        label_(label(node)),
        product_(product(node), context.libraries, label_) {}

  [[nodiscard]] std::string impl() const override { return "cublaslt"; }
  [[nodiscard]] size_t workspace() const override { return wide_bytes() + product_.workspace(); }
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? weights_ : Layout{}; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    cudaStream_t queue = cuda_stream(stream).use();
    const float* bias = bias_ ? operands[2].as<float>() : nullptr;
    const Ref& y = operands[inputs_];
    if (type_ == DType::f32) {
      product_.run(queue, operands[0].data, operands[1].data, bias, y.data, scratch.data);
      return;
    }
    product_.run(queue, operands[0].data, operands[1].data, nullptr, scratch.data,
                 scratch.data + wide_bytes());
    const Narrowing narrowing{reinterpret_cast<const float*>(scratch.data),
                              bias,
                              y.data,
                              type_,
                              y_.shape.n,
                              static_cast<int>(y_.shape.c),
                              act_};
    check(static_cast<cudaError_t>(narrow(narrowing, queue)), label_);
  }

 private:
  [[nodiscard]] Product product(const Node& node) const {
    const bool fused = type_ == DType::f32;
    return {.rows = y_.shape.n,
            .columns = y_.shape.c,
            .depth = per_image(node.inputs[0].shape()),
            .b_transposed = true,
            .in = type_,
            .math = math_,
            .bias = fused && bias_,
            .act = fused ? act_ : Activation::none};
  }
  [[nodiscard]] size_t wide_bytes() const {
    return type_ == DType::f32 ? 0 : aligned(static_cast<size_t>(y_.shape.count()) * sizeof(float));
  }

  Spec y_;
  DType type_;
  size_t inputs_;
  bool bias_;
  Activation act_;
  Math math_;
  Layout weights_;
  std::string label_;
  Matmul product_;
};

/// dx = dy · w.
class DenseBwdDataKernel final : public Kernel {
 public:
  DenseBwdDataKernel(const Node& node, const Context& context)
      : weights_(rounded_layout(node.inputs[1].shape(), node.inputs[0].spec().dtype)),
        product_({.rows = node.inputs[0].shape().n,
                  .columns = per_image(node.outputs[0].shape),
                  .depth = node.inputs[0].shape().c,
                  .in = node.inputs[0].spec().dtype,
                  .out = node.outputs[0].dtype,
                  .math = context.math},
                 context.libraries, label(node)) {}

  [[nodiscard]] std::string impl() const override { return "cublaslt"; }
  [[nodiscard]] size_t workspace() const override { return product_.workspace(); }
  [[nodiscard]] Layout wants(int operand) const override { return operand == 1 ? weights_ : Layout{}; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    product_.run(cuda_stream(stream).use(), operands[0].data, operands[1].data, nullptr, operands[2].data,
                 scratch.data);
  }

 private:
  Layout weights_;
  Matmul product_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Dense& op, const Node& node, const Context& context) {
  return std::make_unique<DenseKernel>(op, node, context);
}

std::unique_ptr<Kernel> lower(const DenseBwdData& /*op*/, const Node& node, const Context& context) {
  return std::make_unique<DenseBwdDataKernel>(node, context);
}

std::unique_ptr<Kernel> lower(const DenseBwdWeights& op, const Node& node, const Context& context) {
  const Spec &x = node.inputs[0].spec(), &dy = node.inputs[1].spec();
  same_type(node, x, dy);
  return product_gradient(node, {x.shape.n, per_image(x.shape), op.weights.n}, context);
}

}  // namespace xf::cuda
