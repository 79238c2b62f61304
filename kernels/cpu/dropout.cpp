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
    const Blocks blocks{x.spec.shape.count(), 4096};  // a multiple of 4: no block splits a group of four
    parallel_for(blocks.count(), [&](int64_t b) {
      for (int64_t i = blocks.begin(b); i < blocks.end(b); i += 4) {
        const Philox4 random = philox(step.seed, stream, static_cast<uint64_t>(i / 4));
        const int64_t end = std::min(i + 4, blocks.end(b));
        for (int64_t j = i; j < end; ++j) {
          const bool keep = unit_float(random.v[j - i]) >= op_.rate;
          y.as<T>()[j] = keep ? T(static_cast<float>(x.as<T>()[j]) / kept) : T(0.0F);
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
