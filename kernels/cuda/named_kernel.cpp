#include "kernels/cuda/named_kernel.h"

#include <nvtx3/nvToolsExt.h>

#include <utility>

namespace xf::cuda {
namespace {

class Range {
 public:
  explicit Range(const std::string& name) { nvtxRangePushA(name.c_str()); }
  ~Range() { nvtxRangePop(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

class NamedKernel final : public Kernel {
 public:
  NamedKernel(std::unique_ptr<Kernel> kernel, const std::string& name)
      : kernel_(std::move(kernel)), name_(name) {}
  [[nodiscard]] std::string impl() const override { return kernel_->impl(); }
  [[nodiscard]] size_t workspace() const override { return kernel_->workspace(); }
  [[nodiscard]] Layout wants(int operand) const override { return kernel_->wants(operand); }
  [[nodiscard]] bool strided(int operand) const override { return kernel_->strided(operand); }
  [[nodiscard]] bool in_place(int output, int input) const override {
    return kernel_->in_place(output, input);
  }
  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const Range range(name_);
    kernel_->run(stream, operands, scratch);
  }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Kernel> named(std::unique_ptr<Kernel> kernel, const std::string& name) {
  return std::make_unique<NamedKernel>(std::move(kernel), name);
}

}  // namespace xf::cuda
