#include "kernels/cuda/loss_seed.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"

namespace xf::cuda {
namespace {

class LossSeedKernel final : public OwnKernel {
 public:
  LossSeedKernel(const LossSeed& op, const Node& node) : OwnKernel("loss_seed", node), share_(op.share) {}

 private:
  int launch(const Operands& operands, void* stream) override {
    return loss_seed(operands.in(0).as<const float>(), share_, operands.out(0).as<float>(), stream);
  }
  float share_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const LossSeed& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<LossSeedKernel>(op, node);
}

}  // namespace xf::cuda
