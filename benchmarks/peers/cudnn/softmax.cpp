#include "benchmarks/peers/cudnn/layers.h"
#include "engine/core/error.h"

namespace xf::bench {
namespace {

class Softmax final : public Peer {
 public:
  Softmax(cudnnHandle_t handle, const Node& node, size_t output)
      : handle_(handle), output_(node.inputs.size() + output), rows_(tensor(node.inputs[0].spec())) {}

  [[nodiscard]] std::string impl() const override { return "cudnn:softmax"; }

  void forward(std::span<const Ref> operands) override {
    check(cudnnSoftmaxForward(handle_, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_INSTANCE, &kOne,
                              rows_.get(), operands[0].data, &kZero, rows_.get(), operands[output_].data),
          "cudnnSoftmaxForward");
  }

  void backward(std::span<const Ref> /*operands*/, std::span<const Ref> /*gradient*/) override {
    throw UnavailableError("cuDNN", "it has no gradient of a cross-entropy");
  }

 private:
  cudnnHandle_t handle_;
  size_t output_;
  Tensor rows_;
};

}  // namespace

std::unique_ptr<Peer> softmax(cudnnHandle_t handle, const Node& node, size_t output) {
  return std::make_unique<Softmax>(handle, node, output);
}

}  // namespace xf::bench
