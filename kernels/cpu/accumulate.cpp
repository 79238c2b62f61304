// Gradients summed over the micro-batches of a step.
#include <vector>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/tiles.h"

namespace xf::cpu {

namespace {

class AccumulateKernel final : public OwnKernel {
 public:
  explicit AccumulateKernel(const Node& node) : OwnKernel("accumulate", node) {
    for (size_t t = 0; t < node.outputs.size(); ++t) {
      const Blocks blocks{node.outputs[t].shape.count(), int64_t{1} << 14};
      for (int64_t b = 0; b < blocks.count(); ++b)
        work_.push_back({static_cast<int>(t), blocks.begin(b), blocks.end(b)});
    }
  }
  [[nodiscard]] bool in_place(int output, int input) const override { return input == 1 + 2 * output; }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const bool first = in(operands, 0).as<const StepParams>()->micro_batch == 0;
    parallel_for(static_cast<int64_t>(work_.size()), [&](int64_t i) {
      const Part& part = work_[static_cast<size_t>(i)];
      const auto *sum = in(operands, 1 + 2 * part.tensor).as<float>(),
                 *g = in(operands, 2 + 2 * part.tensor).as<float>();
      auto* result = out(operands, part.tensor).as<float>();
      if (result == nullptr) return;
      if (first)
        std::copy(g + part.begin, g + part.end, result + part.begin);
      else
        for (int64_t e = part.begin; e < part.end; ++e) result[e] = sum[e] + g[e];
    });
  }

 private:
  struct Part {
    int tensor;
    int64_t begin, end;
  };
  std::vector<Part> work_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Accumulate&, const Node& node, const Context&) {
  return std::make_unique<AccumulateKernel>(node);
}

}  // namespace xf::cpu
