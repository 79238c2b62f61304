#include <fmt/format.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/global_avg_pool.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

ImageMaps maps_of(const Shape& s, DType dtype) {
  return {.images = s.n, .pixels = s.h * s.w, .channels = static_cast<int>(s.c), .dtype = dtype};
}

class GlobalAvgPoolKernel final : public Kernel {
 public:
  explicit GlobalAvgPoolKernel(const Node& node)
      : maps_(maps_of(node.inputs[0].shape(), activation_type(node, {0}))),
        label_(fmt::format("{}: global_avg_pool on {}", node.name, to_string(node.inputs[0].shape()))) {}

  [[nodiscard]] std::string impl() const override { return "xf:global_avg_pool"; }
  [[nodiscard]] size_t workspace() const override { return global_avg_pool_workspace(maps_); }
  [[nodiscard]] bool strided(int /*operand*/) const override { return true; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch scratch) override {
    const Ref &x = operands[0], &y = operands[1];
    const GlobalAvgPoolTensors t{x.data, x.row_stride, y.as<float>(), y.row_stride};
    const int status = global_avg_pool(maps_, t, scratch.data, cuda_stream(stream).use());
    check(static_cast<cudaError_t>(status), label_);
  }

 private:
  ImageMaps maps_;
  std::string label_;
};

class GlobalAvgPoolBwdKernel final : public Kernel {
 public:
  GlobalAvgPoolBwdKernel(const GlobalAvgPoolBwd& op, const Node& node)
      : maps_(maps_of(op.input, op.to)),
        label_(fmt::format("{}: global_avg_pool_bwd on {}", node.name, to_string(op.input))) {
    if (node.inputs[0].spec().dtype != DType::f32)
      throw UnavailableError(
          fmt::format("{} ({})", node.name, op_name(node.op)),
          fmt::format("the gradient of a mean must be f32, not {}", name(node.inputs[0].spec().dtype)));
  }

  [[nodiscard]] std::string impl() const override { return "xf:global_avg_pool_bwd"; }
  [[nodiscard]] bool strided(int /*operand*/) const override { return true; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    const Ref &dy = operands[0], &dx = operands[1];
    const GlobalAvgPoolBwdTensors t{dy.as<float>(), dy.row_stride, dx.data, dx.row_stride};
    const int status = global_avg_pool_bwd(maps_, t, cuda_stream(stream).use());
    check(static_cast<cudaError_t>(status), label_);
  }

 private:
  ImageMaps maps_;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const GlobalAvgPool& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<GlobalAvgPoolKernel>(node);
}

std::unique_ptr<Kernel> lower(const GlobalAvgPoolBwd& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<GlobalAvgPoolBwdKernel>(op, node);
}

}  // namespace xf::cuda
