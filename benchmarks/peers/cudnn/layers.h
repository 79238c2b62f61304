#pragma once
// The layers, and what their calls share: descriptors, device memory, status codes as errors.

#include <cudnn.h>

#include <memory>
#include <string>
#include <string_view>

#include "benchmarks/peers/cudnn/peers.h"

namespace xf::bench {

std::unique_ptr<Peer> batch_norm(cudnnHandle_t handle, const BnAct& op, const Node& node);
std::unique_ptr<Peer> pool(cudnnHandle_t handle, const Pool& op, const Node& node);
std::unique_ptr<Peer> global_avg_pool(cudnnHandle_t handle, const Node& node);
/// The probabilities are output `output` of the node.
std::unique_ptr<Peer> softmax(cudnnHandle_t handle, const Node& node, size_t output);

/// Throws UnavailableError where cuDNN says that it cannot do what was asked, InternalError for any other
/// failure. `what` names the call.
void check(cudnnStatus_t status, std::string_view what);
/// Whether cuDNN says that it cannot do what was asked.
bool refused(cudnnStatus_t status);

struct Destroy {
  void operator()(cudnnHandle_t h) const { cudnnDestroy(h); }
  void operator()(cudnnTensorDescriptor_t d) const { cudnnDestroyTensorDescriptor(d); }
  void operator()(cudnnPoolingDescriptor_t d) const { cudnnDestroyPoolingDescriptor(d); }
  void operator()(cudnnActivationDescriptor_t d) const { cudnnDestroyActivationDescriptor(d); }
};
using Handle = std::unique_ptr<cudnnContext, Destroy>;
using Tensor = std::unique_ptr<cudnnTensorStruct, Destroy>;
using Pooling = std::unique_ptr<cudnnPoolingStruct, Destroy>;
using Activating = std::unique_ptr<cudnnActivationStruct, Destroy>;

/// Dense NHWC.
Tensor tensor(const Spec& spec);
/// The same memory for calls to which all elements are alike: as NCHW, which cuDNN's elementwise kernels are
/// faster with.
Tensor elements(const Spec& spec);
/// A rectifier that hands NaN on, as ours does.
Activating rectifier();

/// Device memory of a layer's own.
class Memory {
 public:
  Memory() = default;
  /// Throws MemoryError.
  explicit Memory(size_t bytes);
  [[nodiscard]] void* data() const { return data_.get(); }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<void> data_;
  size_t bytes_ = 0;
};

/// How a call blends its result with what lies there: not at all.
constexpr float kOne = 1, kZero = 0;

}  // namespace xf::bench
