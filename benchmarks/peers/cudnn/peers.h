#pragma once
// What bench-ops and libxferrun_cudnn_peers.so agree on: cuDNN's own calls for operations that we have
// kernels for. As with the CUDA module (kernels/cuda/module.h), one C function is looked up by name, and the
// table that it returns is trusted once its first two fields fit.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/run/backend.h"

namespace xf::bench {

/// A layer as cuDNN computes it. Operands are dense device memory, in the order of the operation's own
/// (engine/graph/ops.h): inputs, then outputs, absent ones empty. What cuDNN has no room for is left alone:
/// a pool's argmax, the losses beside a softmax.
class Peer {
 public:
  virtual ~Peer() = default;
  /// The calls that ran last: "cudnn:bn_add_relu".
  [[nodiscard]] virtual std::string impl() const = 0;
  /// Queues the operation. Running statistics are moved where the new ones lie, which holds the old ones
  /// before. Throws UnavailableError where cuDNN refuses.
  virtual void forward(std::span<const Ref> operands) = 0;
  /// Queues the gradient of the last forward(), whose operands are there unchanged. Throws UnavailableError
  /// where cuDNN refuses.
  virtual void backward(std::span<const Ref> operands, std::span<const Ref> gradient) = 0;
};

/// cuDNN on one stream.
class Peers {
 public:
  virtual ~Peers() = default;
  /// cuDNN's layer for an operation (not for a gradient); none where it has no call for it. Throws
  /// UnavailableError where its call cannot express these attributes.
  virtual std::unique_ptr<Peer> lower(const Node& operation) = 0;
};

struct PeerModule {
  uint32_t abi;       ///< kModuleAbi
  const char* build;  ///< XFERRUN_MODULE_BUILD
  /// `compute`: a stream of the CUDA module. Throws InternalError where cuDNN cannot be opened.
  std::unique_ptr<Peers> (*open)(Stream& compute);
};

constexpr const char* kPeerModuleFile = "libxferrun_cudnn_peers.so";
constexpr const char* kPeerModuleEntry = "xferrun_cudnn_peers";

}  // namespace xf::bench

extern "C" __attribute__((visibility("default"))) const xf::bench::PeerModule* xferrun_cudnn_peers();
