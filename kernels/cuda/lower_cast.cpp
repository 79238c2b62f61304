#include "kernels/cuda/cast.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"

namespace xf::cuda {
namespace {

class CastKernel final : public OwnKernel {
 public:
  explicit CastKernel(const Node& node)
      : OwnKernel("cast", node), from_(activation_type(node, {0})), to_(node.outputs[0].dtype) {
    if (to_ != DType::f32 && to_ != DType::bf16 && to_ != DType::f16)
      unsupported(node, fmt::format("there is no conversion to {} on cuda", name(to_)));
  }
  [[nodiscard]] bool strided(int) const override { return true; }
  [[nodiscard]] bool in_place(int, int) const override { return size_of(from_) == size_of(to_); }

 protected:
  int launch(const Operands& o, void* stream) override {
    return cast(extent_of(o.in(0)), from_, rows_in(o.in(0)), to_, rows_out(o.out(0)), stream);
  }

 private:
  DType from_, to_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Cast& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<CastKernel>(node);
}

}  // namespace xf::cuda
