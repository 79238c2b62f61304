// Means over the ranks of a training, taken by Comm's own thread while the kernels go on.
#include <cstring>
#include <vector>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"

namespace xf::cpu {

namespace {

class ExchangeKernel : public OwnKernel {
 public:
  ExchangeKernel(const char* name, const Node& node, int bucket, Comm& comm)
      : OwnKernel(name, node),
        bucket_(bucket),
        comm_(comm),
        tensors_(static_cast<int>(node.outputs.size())) {}
  [[nodiscard]] bool in_place(int output, int input) const final { return input == output; }

 protected:
  [[nodiscard]] int bucket() const { return bucket_; }
  [[nodiscard]] Comm& comm() const { return comm_; }
  [[nodiscard]] int tensors() const { return tensors_; }
  /// Outputs that lie elsewhere get what the inputs hold.
  void carry_over(std::span<const Ref> operands) const {
    for (int t = 0; t < tensors_; ++t) {
      const Ref from = in(operands, t), to = out(operands, t);
      if (to && to.data != from.data) std::memcpy(to.data, from.data, to.spec.bytes());
    }
  }

 private:
  int bucket_;
  Comm& comm_;
  int tensors_;
};

class StartKernel final : public ExchangeKernel {
 public:
  using ExchangeKernel::ExchangeKernel;
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    carry_over(operands);
    std::vector<std::span<float>> spans;
    for (int t = 0; t < tensors(); ++t)
      if (const Ref y = out(operands, t))
        spans.emplace_back(y.as<float>(), static_cast<size_t>(y.spec.shape.count()));
    comm().start_mean(bucket(), std::move(spans));
  }
};

class WaitKernel final : public ExchangeKernel {
 public:
  using ExchangeKernel::ExchangeKernel;
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    comm().wait_mean(bucket());
    carry_over(operands);
  }
};

}  // namespace

std::unique_ptr<Kernel> lower(const AllReduce& op, const Node& node, const Context& context) {
  return std::make_unique<StartKernel>("all_reduce", node, op.bucket, *context.comm);
}

std::unique_ptr<Kernel> lower(const AllReduceWait& op, const Node& node, const Context& context) {
  return std::make_unique<WaitKernel>("all_reduce_wait", node, op.bucket, *context.comm);
}

}  // namespace xf::cpu
