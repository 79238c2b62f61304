#include <fmt/format.h>

#include <utility>

#include "kernels/cuda/check.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/operands.h"
#include "kernels/cuda/pool.h"
#include "kernels/cuda/stream.h"

namespace xf::cuda {
namespace {

struct AxisPadding {
  int before, after, ceil_extra;  ///< ceil_extra: the part of `after` that ceil rounding added
};

struct AxisWindow {
  int kernel, stride;
};

PoolAxis axis_of(int64_t in, int64_t out, AxisWindow window, AxisPadding pad, CountPadding count) {
  PoolAxis a;
  a.in = static_cast<int>(in);
  a.out = static_cast<int>(out);
  a.kernel = window.kernel;
  a.stride = window.stride;
  a.before = pad.before;
  const bool counts = count == CountPadding::yes;
  a.counted_from = counts ? -pad.before : 0;
  a.counted_to = a.in + (counts ? pad.after - pad.ceil_extra : 0);
  return a;
}

PoolGeometry geometry_of(const Pool& p, const Node& node, const Shape& x, const Shape& y) {
  PoolGeometry g;
  g.kind = p.kind;
  g.h = axis_of(x.h, y.h, {p.kernel_h, p.stride_h}, {p.pad.top, p.pad.bottom, p.ceil_extra_h}, p.count);
  g.w = axis_of(x.w, y.w, {p.kernel_w, p.stride_w}, {p.pad.left, p.pad.right, p.ceil_extra_w}, p.count);
  g.images = x.n;
  g.channels = static_cast<int>(x.c);
  g.dtype = activation_type(node, {0});
  for (const PoolAxis& a : {g.h, g.w}) {
    if ((a.out - 1) * a.stride - a.before >= a.in)
      throw UnavailableError(fmt::format("{} ({})", node.name, op_name(node.op)),
                             "its last windows hold nothing but padding", "pad less below and on the right");
  }
  return g;
}

class PoolKernel final : public Kernel {
 public:
  PoolKernel(const Pool& op, const Node& node)
      : geometry_(geometry_of(op, node, node.inputs[0].shape(), node.outputs[0].shape)),
        label_(fmt::format("{}: pool on {}", node.name, to_string(node.inputs[0].shape()))) {}

  [[nodiscard]] std::string impl() const override { return "xf:pool"; }
  [[nodiscard]] bool strided(int operand) const override { return operand <= 1; }

  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    const Ref &x = operands[0], &y = operands[1], &argmax = operands[2];
    const PoolTensors t{x.data, x.row_stride, y.data, y.row_stride, argmax.as<uint8_t>()};
    check(static_cast<cudaError_t>(pool(geometry_, t, cuda_stream(stream).use())), label_);
  }

 private:
  PoolGeometry geometry_;
  std::string label_;
};

class PoolBwdKernel final : public Kernel {
 public:
  PoolBwdKernel(const PoolBwd& op, const Node& node)
      : geometry_(geometry_of(op.pool, node, op.input, node.inputs[0].shape())),
        inputs_(node.inputs.size()),
        label_(fmt::format("{}: pool_bwd on {}", node.name, to_string(op.input))) {}

  [[nodiscard]] std::string impl() const override { return "xf:pool_bwd"; }
  [[nodiscard]] bool strided(int operand) const override {
    return operand == 0 || operand == static_cast<int>(inputs_);
  }

  void run(Stream& stream, std::span<const Ref> operands, Scratch /*scratch*/) override {
    const Operands all(operands, inputs_);
    const Ref dy = all.in(0), dx = all.out(0);
    const PoolBwdTensors t{dy.data, dy.row_stride, all.in(1).as<uint8_t>(), dx.data, dx.row_stride};
    check(static_cast<cudaError_t>(pool_bwd(geometry_, t, cuda_stream(stream).use())), label_);
  }

 private:
  PoolGeometry geometry_;
  size_t inputs_;
  std::string label_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Pool& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<PoolKernel>(op, node);
}

std::unique_ptr<Kernel> lower(const PoolBwd& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<PoolBwdKernel>(op, node);
}

}  // namespace xf::cuda
