#include "kernels/cpu/winograd_pack.h"

#include <fmt/format.h>

#include "engine/core/threads.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/winograd_transforms.h"

namespace xf::cpu::winograd {

namespace {

class PackKernel : public Kernel {
 public:
  explicit PackKernel(const dnn::WinogradWeights& to) : to_(to) {}

  [[nodiscard]] std::string impl() const override {
    return fmt::format("pack:xf:winograd:{}", target_name());
  }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const auto* w = operands[0].as<const float>();
    auto* panels = operands[1].as<float>();
    if (to_.window == dnn::Window::as_is)
      parallel_for(to_.panels().groups,
                   [&](int64_t group) { transform_weights(w, to_.weights, group, panels); });
    else
      parallel_for(to_.weights.n,
                   [&](int64_t output) { transform_turned_weights(w, to_.weights, output, panels); });
  }

 private:
  dnn::WinogradWeights to_;
};

}  // namespace

std::unique_ptr<Kernel> pack(const dnn::WinogradWeights& to) { return std::make_unique<PackKernel>(to); }

}  // namespace xf::cpu::winograd
