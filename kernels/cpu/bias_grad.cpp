// The sum over all positions, per channel.
#include "kernels/cpu/block_sums.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/bias_grad.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// The sum of rows [first, last).
template <class T>
void sum_block(const Ref& dy, int64_t first, int64_t last, float* sum) {
  const int64_t channels = dy.spec.shape.c;
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR { store(hn::Zero(d), d, sum + c); });
  for (int64_t r = first; r < last; ++r) {
    const T* row = dy.as<T>() + r * dy.row_stride;
    for_lanes(channels, [&](auto d, int64_t c)
                            HWY_ATTR { store(hn::Add(load(d, sum + c), load(d, row + c)), d, sum + c); });
  }
}

void sum_rows(const Ref& dy, int64_t first, int64_t last, float* sum) {
  with_type(dy.spec.dtype,
            [&](auto* t) HWY_ATTR { sum_block<std::remove_pointer_t<decltype(t)>>(dy, first, last, sum); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(sum_rows);

class BiasGradKernel final : public OwnKernel {
 public:
  explicit BiasGradKernel(const Node& node) : OwnKernel("bias_grad", node), dy_(node.inputs[0].shape()) {
    activation_type(node, {0});
  }
  [[nodiscard]] size_t workspace() const override {
    return static_cast<size_t>(BlockSums::floats(dy_)) * sizeof(float);
  }
  [[nodiscard]] bool strided(int operand) const override { return operand == 0; }
  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    const Ref dy = in(operands, 0);
    const BlockSums sums(dy_, reinterpret_cast<float*>(scratch.data));
    const Blocks& blocks = sums.blocks();
    parallel_for(blocks.count(), [&](int64_t b) {
      HWY_DYNAMIC_DISPATCH(sum_rows)(dy, blocks.begin(b), blocks.end(b), sums[b].first);
    });
    sums.total({out(operands, 0).as<float>(), nullptr});
  }

 private:
  Shape dy_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const BiasGrad&, const Node& node, const Context&) {
  return std::make_unique<BiasGradKernel>(node);
}

}  // namespace xf::cpu
#endif
