#include "kernels/cuda/dropout.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"

namespace xf::cuda {
namespace {

class DropoutKernel final : public OwnKernel {
 public:
  DropoutKernel(const Dropout& op, const Node& node)
      : OwnKernel("dropout", node), op_(op), dtype_(activation_type(node, {1})) {}
  [[nodiscard]] bool in_place(int, int input) const override { return input == 1; }

 protected:
  int launch(const Operands& o, void* stream) override {
    const Shape& shape = o.out(0).spec.shape;
    const DropoutTensors t{shape.count(), dtype_,        o.in(0).as<const StepParams>(),
                           o.in(1).data,  o.out(0).data, shape.count() / shape.n};
    return dropout(t, op_, stream);
  }

 private:
  Dropout op_;
  DType dtype_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Dropout& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<DropoutKernel>(op, node);
}

}  // namespace xf::cuda
