#include "benchmarks/peers/cudnn/peers.h"

#include <utility>

#include "benchmarks/peers/cudnn/layers.h"
#include "kernels/cuda/module.h"
#include "kernels/cuda/stream.h"

namespace xf::bench {
namespace {

class CudnnPeers final : public Peers {
 public:
  explicit CudnnPeers(const cuda::CudaStream& compute) {
    cudaStream_t stream = compute.use();  // and its device, on which the handle is made
    cudnnHandle_t handle = nullptr;
    check(cudnnCreate(&handle), "cudnnCreate");
    handle_.reset(handle);
    check(cudnnSetStream(handle, stream), "cudnnSetStream");
  }

  std::unique_ptr<Peer> lower(const Node& node) override {
    if (const auto* bn = node.as<BnAct>(); bn != nullptr && bn->mode == BnMode::batch)
      return batch_norm(handle_.get(), *bn, node);
    if (const auto* windows = node.as<Pool>(); windows != nullptr) return pool(handle_.get(), *windows, node);
    if (node.as<GlobalAvgPool>() != nullptr) return global_avg_pool(handle_.get(), node);
    if (node.as<xf::Softmax>() != nullptr) return softmax(handle_.get(), node, 0);
    if (node.as<SoftmaxXent>() != nullptr) return softmax(handle_.get(), node, 1);
    return nullptr;
  }

 private:
  Handle handle_;
};

std::unique_ptr<Peers> open(Stream& compute) {
  return std::make_unique<CudnnPeers>(cuda::cuda_stream(compute));
}

constexpr PeerModule kModule{cuda::kModuleAbi, XFERRUN_MODULE_BUILD, &open};

}  // namespace
}  // namespace xf::bench

const xf::bench::PeerModule* xferrun_cudnn_peers() { return &xf::bench::kModule; }
