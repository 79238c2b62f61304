#include "kernels/cuda/lower.h"
#include "kernels/cuda/normalize.h"
#include "kernels/cuda/own_kernel.h"

namespace xf::cuda {
namespace {

class NormalizeKernel final : public OwnKernel {
 public:
  NormalizeKernel(const Normalize& op, const Node& node) : OwnKernel("normalize", node), op_(op) {
    const DType from = node.inputs[0].spec().dtype;
    if (from != DType::u8 && from != DType::f32) unsupported(node, "images are u8 or f32");
    if (op.to != DType::f32 && op.to != DType::bf16 && op.to != DType::f16)
      unsupported(node, fmt::format("there are no activations of {} on cuda", name(op.to)));
  }

 protected:
  int launch(const Operands& o, void* stream) override {
    const Spec& x = o.in(0).spec;
    const NormalizeTensors t{x.shape.rows(), static_cast<int>(x.shape.c), x.dtype, o.in(0).data,
                             o.out(0).data};
    return normalize(t, op_, stream);
  }

 private:
  Normalize op_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Normalize& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<NormalizeKernel>(op, node);
}

}  // namespace xf::cuda
