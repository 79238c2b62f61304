// Dropout by counter-based random numbers: each element's bits depend on its index alone.
#include <array>

#include "engine/core/rng.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/tiles.h"

namespace xf::cpu {

namespace {

class DropoutKernel final : public OwnKernel {
 public:
  DropoutKernel(const Dropout& op, const Node& node) : OwnKernel("dropout", node), op_(op) {
    type_ = activation_type(node, {1});
  }
  [[nodiscard]] bool in_place(int, int input) const override { return input == 1; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const auto& step = *in(operands, 0).as<const StepParams>();
    if (type_ == DType::bf16)
      drop<bfloat16>(step, in(operands, 1), out(operands, 0));
    else
      drop<float>(step, in(operands, 1), out(operands, 0));
  }

 private:
  template <class T>
  void drop(const StepParams& step, const Ref& x, const Ref& y) const {
    const uint64_t stream = uint64_t{op_.stream} << 32 | step.counter;
    const float kept = 1.0F - op_.rate;
    const int64_t count = x.spec.shape.count(), before = step.first_image * (count / x.spec.shape.n);
    // Of all images of the step; a multiple of 4, so that no block splits a group of four.
    const Blocks blocks{before + count, 4096};
    const int64_t first = before / blocks.size;
    parallel_for(blocks.count() - first, [&](int64_t b) {
      const int64_t end = blocks.end(first + b);
      for (int64_t i = std::max(blocks.begin(first + b), before / 4 * 4); i < end; i += 4) {
        const Philox4 random = philox(step.seed, stream, static_cast<uint64_t>(i / 4));
        for (int64_t j = std::max(i, before); j < std::min(i + 4, end); ++j) {
          const bool keep = unit_float(random.v[j - i]) >= op_.rate;
          y.as<T>()[j - before] = keep ? T(static_cast<float>(x.as<T>()[j - before]) / kept) : T(0.0F);
        }
      }
    });
  }

  Dropout op_;
  DType type_ = DType::f32;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Dropout& op, const Node& node, const Context&) {
  return std::make_unique<DropoutKernel>(op, node);
}

}  // namespace xf::cpu
