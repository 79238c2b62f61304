#include <vector>

#include "kernels/cuda/accumulate.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"

namespace xf::cuda {
namespace {

class AccumulateKernel final : public OwnKernel {
 public:
  explicit AccumulateKernel(const Node& node) : OwnKernel("accumulate", node), tensors_(node.outputs.size()) {
    for (size_t t = 0; t < tensors_.size(); ++t) tensors_[t].count = node.outputs[t].shape.count();
  }
  [[nodiscard]] bool in_place(int output, int input) const override { return input == 1 + 2 * output; }

 protected:
  int launch(const Operands& o, void* stream) override {
    for (size_t t = 0; t < tensors_.size(); ++t) {
      tensors_[t].sum = o.in(1 + 2 * t).as<float>();
      tensors_[t].gradient = o.in(2 + 2 * t).as<float>();
      tensors_[t].result = o.out(t).as<float>();
    }
    return accumulate(o.in(0).as<const StepParams>(), tensors_, stream);
  }

 private:
  std::vector<AccumulateTensor> tensors_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Accumulate& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<AccumulateKernel>(node);
}

}  // namespace xf::cuda
