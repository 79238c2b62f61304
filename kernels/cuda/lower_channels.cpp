// Concatenation and slices.
#include "kernels/cuda/channels.h"
#include "kernels/cuda/lower.h"
#include "kernels/cuda/own_kernel.h"

namespace xf::cuda {
namespace {

/// The operand's memory from channel `channel` on.
template <class Rows>
Rows from_channel(Rows rows, const Ref& operand, int64_t channel) {
  rows.data = operand.data + channel * static_cast<int64_t>(size_of(operand.spec.dtype));
  return rows;
}

/// Copies x to y, unless it lies there already because the plan made one a view of the other.
int copy_unless_there(Extent extent, DType dtype, RowsIn x, RowsOut y, void* stream) {
  return x.data == y.data ? cudaSuccess : copy_channels(extent, size_of(dtype), x, y, stream);
}

class ConcatKernel final : public OwnKernel {
 public:
  explicit ConcatKernel(const Node& node) : OwnKernel("concat", node) {
    for (const Value& v : node.inputs)
      if (v.spec().dtype != node.outputs[0].dtype)
        unsupported(node, "operands of two types cannot be joined");
  }
  [[nodiscard]] bool strided(int) const override { return true; }

 protected:
  int launch(const Operands& o, void* stream) override {
    const Ref y = o.out(0);
    int64_t channel = 0;
    for (size_t i = 0; i < inputs(); ++i) {
      const Ref x = o.in(i);
      const RowsOut target = from_channel(rows_out(y), y, channel);
      if (const int status = copy_unless_there(extent_of(x), x.spec.dtype, rows_in(x), target, stream);
          status != cudaSuccess)
        return status;
      channel += x.spec.shape.c;
    }
    return cudaSuccess;
  }
};

class SliceKernel final : public OwnKernel {
 public:
  SliceKernel(const Slice& op, const Node& node) : OwnKernel("slice", node), op_(op) {}
  [[nodiscard]] bool strided(int) const override { return true; }

 protected:
  int launch(const Operands& o, void* stream) override {
    const Ref x = o.in(0), y = o.out(0);
    return copy_unless_there(extent_of(y), y.spec.dtype, from_channel(rows_in(x), x, op_.begin), rows_out(y),
                             stream);
  }

 private:
  Slice op_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Concat& /*op*/, const Node& node, const Context& /*context*/) {
  return std::make_unique<ConcatKernel>(node);
}

std::unique_ptr<Kernel> lower(const Slice& op, const Node& node, const Context& /*context*/) {
  return std::make_unique<SliceKernel>(op, node);
}

}  // namespace xf::cuda
