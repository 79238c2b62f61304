#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"
#include "kernels/cuda/pack.h"

namespace xf::cuda {
namespace {

class PackKernel final : public OwnKernel {
 public:
  PackKernel(const Pack& op, const Node& node) : OwnKernel("pack", node), layout_(weight_layout(op.layout)) {
    const Spec& weights = node.inputs[0].spec();
    if (weights.dtype != DType::f32 || layout_.channels < weights.shape.c ||
        op.bytes != layout_bytes(weights.shape, op.layout))
      throw InternalError(
          node.name, fmt::format("{} weights of {} do not go into {} bytes of {} channels",
                                 to_string(weights.shape), name(weights.dtype), op.bytes, layout_.channels));
  }

 protected:
  int launch(const Operands& o, void* stream) override {
    return pack_weights(o.in(0).spec.shape, o.in(0).as<float>(), layout_, o.out(0).data, stream);
  }

 private:
  WeightLayout layout_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Pack& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<PackKernel>(op, node);
}

}  // namespace xf::cuda
