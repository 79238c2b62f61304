// Means over the ranks of a training, taken on a stream of their own while the kernels go on. Both sides are
// bound by events, which a capture of the step turns into edges of its graph.

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/cuda/comm_nccl.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

class ExchangeKernel : public Kernel {
 public:
  ExchangeKernel(std::string_view name, const Node& node, int bucket, const Context& context)
      : impl_(fmt::format("{}:{}", context.ranks ? "nccl" : "xf", name)),
        label_(fmt::format("{}: {} of {} tensors", node.name, name, node.outputs.size())),
        tensors_(node.outputs.size()),
        ranks_(context.ranks),
        bucket_(ranks_ ? &ranks_->bucket(bucket) : nullptr) {}
  [[nodiscard]] std::string impl() const final { return impl_; }
  [[nodiscard]] bool in_place(int output, int input) const final { return input == output; }

 protected:
  [[nodiscard]] size_t tensors() const { return tensors_; }
  /// None where there is one rank.
  [[nodiscard]] Communicator* ranks() const { return ranks_.get(); }
  [[nodiscard]] Communicator::Bucket& bucket() const { return *bucket_; }
  /// Outputs that lie elsewhere get what the inputs hold.
  void carry_over(const Operands& o, cudaStream_t stream) const {
    for (size_t t = 0; t < tensors_; ++t) {
      const Ref from = o.in(t), to = o.out(t);
      if (to && to.data != from.data)
        check(cudaMemcpyAsync(to.data, from.data, to.spec.bytes(), cudaMemcpyDeviceToDevice, stream), label_);
    }
  }

 private:
  std::string impl_, label_;
  size_t tensors_;
  std::shared_ptr<Communicator> ranks_;
  Communicator::Bucket* bucket_;
};

class StartKernel final : public ExchangeKernel {
 public:
  using ExchangeKernel::ExchangeKernel;
  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    const Operands o(operands, tensors());
    cudaStream_t compute = cuda_stream(stream).use();
    carry_over(o, compute);
    if (ranks() == nullptr) return;
    std::vector<std::span<float>> means;
    for (size_t t = 0; t < tensors(); ++t)
      if (const Ref y = o.out(t))
        means.emplace_back(y.as<float>(), static_cast<size_t>(y.spec.shape.count()));
    cudaStream_t exchange = ranks()->stream().use();
    bucket().ready.record(compute);
    bucket().ready.hold_up(exchange);
    ranks()->mean(means);
    bucket().done.record(exchange);
  }
};

class WaitKernel final : public ExchangeKernel {
 public:
  using ExchangeKernel::ExchangeKernel;
  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    cudaStream_t compute = cuda_stream(stream).use();
    if (ranks() != nullptr) bucket().done.hold_up(compute);
    carry_over(Operands(operands, tensors()), compute);
  }
};

}  // namespace

std::unique_ptr<Kernel> lower(const AllReduce& op, const Node& node, const Context& context) {
  return std::make_unique<StartKernel>("all_reduce", node, op.bucket, context);
}

std::unique_ptr<Kernel> lower(const AllReduceWait& op, const Node& node, const Context& context) {
  return std::make_unique<WaitKernel>("all_reduce_wait", node, op.bucket, context);
}

}  // namespace xf::cuda
