// Concatenation and slices: rows copied from one arrangement to another.
#include <cstring>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/tiles.h"

namespace xf::cpu {

namespace {

/// Copies `channels` channels of every row of `from`, from `source` on, to channel `target` of `to`. What
/// lies there already, because the plan made one a view of the other, stays.
struct ChannelCopy {
  Ref from, to;
  int64_t source, target, channels;

  void rows(int64_t first, int64_t last) const {
    const auto size = static_cast<int64_t>(size_of(from.spec.dtype));
    const std::byte* start = from.data + source * size;
    std::byte* end = to.data + target * size;
    if (start == end) return;
    for (int64_t r = first; r < last; ++r)
      std::memcpy(end + r * to.row_stride * size, start + r * from.row_stride * size,
                  static_cast<size_t>(channels * size));
  }
};

class ConcatKernel final : public OwnKernel {
 public:
  explicit ConcatKernel(const Node& node) : OwnKernel("concat", node) {
    for (const Value& v : node.inputs)
      if (v.spec().dtype != node.outputs[0].dtype)
        unsupported(node, "operands of two types cannot be joined");
  }
  [[nodiscard]] bool strided(int) const override { return true; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref y = out(operands, 0);
    const Blocks blocks = row_blocks(y.spec.shape.rows(), y.spec.shape.c);
    parallel_for(blocks.count(), [&](int64_t b) {
      int64_t target = 0;
      for (int i = 0; i < inputs(); ++i) {
        const Ref x = in(operands, i);
        const int64_t channels = x.spec.shape.c;
        ChannelCopy{x, y, 0, target, channels}.rows(blocks.begin(b), blocks.end(b));
        target += channels;
      }
    });
  }
};

class SliceKernel final : public OwnKernel {
 public:
  SliceKernel(const Slice& op, const Node& node) : OwnKernel("slice", node), op_(op) {}
  [[nodiscard]] bool strided(int) const override { return true; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    const Blocks blocks = row_blocks(y.spec.shape.rows(), y.spec.shape.c);
    parallel_for(blocks.count(), [&](int64_t b) {
      ChannelCopy{x, y, op_.begin, 0, op_.channels}.rows(blocks.begin(b), blocks.end(b));
    });
  }

 private:
  Slice op_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Concat&, const Node& node, const Context&) {
  return std::make_unique<ConcatKernel>(node);
}

std::unique_ptr<Kernel> lower(const Slice& op, const Node& node, const Context&) {
  return std::make_unique<SliceKernel>(op, node);
}

}  // namespace xf::cpu
