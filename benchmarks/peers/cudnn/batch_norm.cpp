// Batch normalisation in training. cuDNN has it fused with residual and rectifier for some types and shapes;
// elsewhere its own calls follow one another, as frameworks run them.

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "benchmarks/peers/cudnn/layers.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/operands.h"

namespace xf::bench {
namespace {

using cuda::Operands;

// Made for NHWC: one pass over memory where a multiprocessor holds its part of x.
constexpr cudnnBatchNormMode_t kMode = CUDNN_BATCHNORM_SPATIAL_PERSISTENT;

class BatchNorm final : public Peer {
 public:
  BatchNorm(cudnnHandle_t handle, const BnAct& op, const Node& node)
      : handle_(handle),
        op_(op),
        inputs_(node.inputs.size()),
        residual_(inputs_ > kResidual && node.inputs[kResidual]),
        x_bytes_(node.inputs[kX].spec().bytes()),
        x_(tensor(node.inputs[kX].spec())),
        elements_(elements(node.inputs[kX].spec())),
        channel_(tensor({vector_shape(node.inputs[kX].shape().c), DType::f32})),
        relu_(rectifier()),
        spare_(vector_bytes(node)) {
    if (!node.inputs[kGamma]) fill_ones(node);
    if (op.act == Activation::relu)
      ops_ = residual_ ? CUDNN_BATCHNORM_OPS_BN_ADD_ACTIVATION : CUDNN_BATCHNORM_OPS_BN_ACTIVATION;
    if (refused(reserve())) separate();
  }

  [[nodiscard]] std::string impl() const override {
    switch (ops_) {
      case CUDNN_BATCHNORM_OPS_BN_ADD_ACTIVATION: return "cudnn:bn_add_relu";
      case CUDNN_BATCHNORM_OPS_BN_ACTIVATION: return "cudnn:bn_relu";
      case CUDNN_BATCHNORM_OPS_BN: break;
    }
    return fmt::format("cudnn:bn{}{}", residual_ ? "+add" : "", op_.act == Activation::relu ? "+relu" : "");
  }

  void forward(std::span<const Ref> operands) override {
    const Operands of(operands, inputs_);
    cudnnStatus_t status = normalise(of);
    if (fused() && refused(status)) {
      separate();
      status = normalise(of);
    }
    check(status, "cudnnBatchNormalizationForwardTrainingEx");
    if (fused()) return;
    std::byte* y = of.out(kY).data;
    if (residual_)
      check(cudnnAddTensor(handle_, &kOne, elements_.get(), of.in(kResidual).data, &kOne, elements_.get(), y),
            "cudnnAddTensor");
    if (op_.act == Activation::relu)
      check(
          cudnnActivationForward(handle_, relu_.get(), &kOne, elements_.get(), y, &kZero, elements_.get(), y),
          "cudnnActivationForward");
  }

  void backward(std::span<const Ref> operands, std::span<const Ref> gradient) override {
    const Operands forward_of(operands, inputs_);
    const Gradient g{gradient.front().data, gradient.subspan(gradient.size() - 4)};
    cudnnStatus_t status = gradient_of(forward_of, g);
    if (fused() && refused(status)) {
      separate();
      forward(operands);
      status = gradient_of(forward_of, g);
    }
    check(status, "cudnnBatchNormalizationBackwardEx");
  }

 private:
  enum Input : size_t { kX, kGamma, kBeta, kRunningMean, kRunningVar, kResidual };
  enum Output : size_t { kY, kMean, kInvStd, kNewMean, kNewVar };

  /// Operands of the gradient: dy first, these four last.
  struct Gradient {
    const std::byte* dy;
    std::span<const Ref> outputs;  ///< dx, dgamma, dbeta, dresidual
    [[nodiscard]] std::byte* dx() const { return outputs[0].data; }
    [[nodiscard]] std::byte* dgamma() const { return outputs[1].data; }
    [[nodiscard]] std::byte* dbeta() const { return outputs[2].data; }
    [[nodiscard]] std::byte* dresidual() const { return outputs[3].data; }
  };

  static size_t vector_bytes(const Node& node) {
    return static_cast<size_t>(node.inputs[kX].shape().c) * sizeof(float);
  }

  // cuDNN has no call without a scale.
  void fill_ones(const Node& node) {
    const std::vector<float> ones(static_cast<size_t>(node.inputs[kX].shape().c), 1);
    ones_ = Memory(vector_bytes(node));
    cudaStream_t stream = nullptr;
    check(cudnnGetStream(handle_, &stream), "cudnnGetStream");
    cuda::check(cudaMemcpyAsync(ones_.data(), ones.data(), ones_.bytes(), cudaMemcpyHostToDevice, stream),
                "upload");
    cuda::check(cudaStreamSynchronize(stream), "upload");
  }

  [[nodiscard]] bool fused() const { return ops_ != CUDNN_BATCHNORM_OPS_BN; }
  [[nodiscard]] bool fused_residual() const { return ops_ == CUDNN_BATCHNORM_OPS_BN_ADD_ACTIVATION; }
  [[nodiscard]] cudnnActivationDescriptor_t fused_relu() const { return fused() ? relu_.get() : nullptr; }
  [[nodiscard]] cudnnTensorDescriptor_t z() const { return fused_residual() ? x_.get() : nullptr; }
  [[nodiscard]] const void* gamma(const Operands& of) const {
    return of.in(kGamma) ? of.in(kGamma).data : ones_.data();
  }

  void separate() {
    ops_ = CUDNN_BATCHNORM_OPS_BN;
    check(reserve(), "cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize");
  }

  // Memory for both directions: what the forward pass leaves in `kept_` is the backward's.
  cudnnStatus_t reserve() {
    size_t forward = 0, backward = 0, kept = 0;
    cudnnTensorStruct* y = fused() ? x_.get() : nullptr;
    cudnnStatus_t status = cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(
        handle_, kMode, ops_, x_.get(), z(), x_.get(), channel_.get(), fused_relu(), &forward);
    if (status == CUDNN_STATUS_SUCCESS)
      status = cudnnGetBatchNormalizationBackwardExWorkspaceSize(handle_, kMode, ops_, x_.get(), y, x_.get(),
                                                                 z(), x_.get(), channel_.get(), fused_relu(),
                                                                 &backward);
    if (status == CUDNN_STATUS_SUCCESS)
      status = cudnnGetBatchNormalizationTrainingExReserveSpaceSize(handle_, kMode, ops_, fused_relu(),
                                                                    x_.get(), &kept);
    if (status != CUDNN_STATUS_SUCCESS) return status;
    workspace_ = Memory(std::max(forward, backward));
    kept_ = Memory(kept);
    return status;
  }

  cudnnStatus_t normalise(const Operands& of) {
    return cudnnBatchNormalizationForwardTrainingEx(
        handle_, kMode, ops_, &kOne, &kZero, x_.get(), of.in(kX).data, z(),
        fused_residual() ? of.in(kResidual).data : nullptr, x_.get(), of.out(kY).data, channel_.get(),
        gamma(of), of.in(kBeta).data, op_.momentum, of.out(kNewMean).data, of.out(kNewVar).data, op_.eps,
        of.out(kMean).data, of.out(kInvStd).data, fused_relu(), workspace_.data(), workspace_.bytes(),
        kept_.data(), kept_.bytes());
  }

  // dy as it is before the rectifier, where that has a call of its own.
  const void* before_activation(const Operands& of, const Gradient& g) {
    const void* y = of.out(kY).data;
    if (op_.act == Activation::relu) {
      if (g.dresidual() == nullptr && masked_.bytes() == 0) masked_ = Memory(x_bytes_);
      void* masked = g.dresidual() != nullptr ? g.dresidual() : masked_.data();
      cudnnTensorStruct* e = elements_.get();
      check(cudnnActivationBackward(handle_, relu_.get(), &kOne, e, y, e, g.dy, e, y, &kZero, e, masked),
            "cudnnActivationBackward");
      return masked;
    }
    if (g.dresidual() != nullptr)
      check(cudnnAddTensor(handle_, &kOne, elements_.get(), g.dy, &kZero, elements_.get(), g.dresidual()),
            "cudnnAddTensor");
    return g.dy;
  }

  cudnnStatus_t gradient_of(const Operands& of, const Gradient& g) {
    const void* dy = fused() ? g.dy : before_activation(of, g);
    return cudnnBatchNormalizationBackwardEx(
        handle_, kMode, ops_, &kOne, &kZero, &kOne, &kZero, x_.get(), of.in(kX).data,
        fused() ? x_.get() : nullptr, fused() ? of.out(kY).data : nullptr, x_.get(), dy, z(),
        fused_residual() ? g.dresidual() : nullptr, x_.get(), g.dx(), channel_.get(), gamma(of),
        of.in(kBeta).data, g.dgamma() != nullptr ? g.dgamma() : spare_.data(), g.dbeta(), op_.eps,
        of.out(kMean).data, of.out(kInvStd).data, fused_relu(), workspace_.data(), workspace_.bytes(),
        kept_.data(), kept_.bytes());
  }

  cudnnHandle_t handle_;
  BnAct op_;
  size_t inputs_;
  bool residual_;
  size_t x_bytes_;
  Tensor x_, elements_, channel_;
  Activating relu_;
  cudnnBatchNormOps_t ops_ = CUDNN_BATCHNORM_OPS_BN;
  Memory ones_, workspace_, kept_, masked_;
  Memory spare_;  // the scale's gradient where nobody asks for it
};

}  // namespace

std::unique_ptr<Peer> batch_norm(cudnnHandle_t handle, const BnAct& op, const Node& node) {
  return std::make_unique<BatchNorm>(handle, op, node);
}

}  // namespace xf::bench
