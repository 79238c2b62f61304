// Bias, activation and sum.
#include <vector>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// y = x where sign > 0, else 0. With sign = x: the activation.
void relu_by_sign(const Ref& x, const Ref& sign, const Ref& y, const Tile& tile) {
  with_type(x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    for (int64_t r = 0; r < tile.rows; ++r) {
      const T *px = at<T>(x, tile, r), *ps = at<T>(sign, tile, r);
      T* py = at<T>(y, tile, r);
      for_lanes(tile.columns, [&](auto d, int64_t c) HWY_ATTR {
        store(hn::IfThenElseZero(hn::Gt(load(d, ps + c), hn::Zero(d)), load_early(d, px + c)), d, py + c);
      });
    }
  });
}

void relu_of(const Ref& x, const Ref& y, const Tile& tile) {
  with_type(x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    for (int64_t r = 0; r < tile.rows; ++r) {
      const T* px = at<T>(x, tile, r);
      T* py = at<T>(y, tile, r);
      for_lanes(tile.columns,
                [&](auto d, int64_t c) HWY_ATTR { store(relu(d, load(d, px + c)), d, py + c); });
    }
  });
}

void add_bias(const Ref& x, const float* bias, const Ref& y, const Tile& tile) {
  with_type(x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    for (int64_t r = 0; r < tile.rows; ++r) {
      const T* px = at<T>(x, tile, r);
      T* py = at<T>(y, tile, r);
      for_lanes(tile.columns, [&](auto d, int64_t c) HWY_ATTR {
        store(hn::Add(load(d, px + c), load(d, bias + c)), d, py + c);
      });
    }
  });
}

void add_all(std::span<const Ref> terms, const Ref& y, const Tile& tile) {
  with_type(y.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    const Ref &a = terms[0], &b = terms[1];
    for (int64_t r = 0; r < tile.rows; ++r) {
      const T *pa = at<T>(a, tile, r), *pb = at<T>(b, tile, r);
      T* py = at<T>(y, tile, r);
      for_lanes(tile.columns, [&](auto d, int64_t c) HWY_ATTR {
        auto sum = hn::Add(load(d, pa + c), load(d, pb + c));
        for (size_t i = 2; i < terms.size(); ++i) sum = hn::Add(sum, load(d, at<T>(terms[i], tile, r) + c));
        store(sum, d, py + c);
      });
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(relu_by_sign);
HWY_EXPORT(relu_of);
HWY_EXPORT(add_bias);
HWY_EXPORT(add_all);

class BiasKernel final : public OwnKernel {
 public:
  explicit BiasKernel(const Node& node) : OwnKernel("bias", node) { activation_type(node, {0}); }
  [[nodiscard]] bool strided(int operand) const override { return operand != 1; }
  [[nodiscard]] bool in_place(int, int input) const override { return input == 0; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    const auto* bias = in(operands, 1).as<float>();
    const Shape& s = x.spec.shape;
    const Blocks blocks = row_blocks(s.rows(), s.c);
    parallel_for(blocks.count(), [&](int64_t b) {
      const Tile tile{blocks.begin(b), blocks.end(b) - blocks.begin(b), 0, s.c};
      HWY_DYNAMIC_DISPATCH(add_bias)(x, bias, y, tile);
    });
  }
};

class ActKernel final : public OwnKernel {
 public:
  ActKernel(const Act& op, const Node& node) : OwnKernel("act", node) {
    activation_type(node, {0});
    if (op.act != Activation::relu) unsupported(node, "an activation that changes nothing is no operation");
  }
  [[nodiscard]] bool strided(int) const override { return true; }
  [[nodiscard]] bool in_place(int, int) const override { return true; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    for_tiles({x, y}, [&](const Tile& tile) { HWY_DYNAMIC_DISPATCH(relu_of)(x, y, tile); });
  }
};

class ActBwdKernel final : public OwnKernel {
 public:
  ActBwdKernel(const ActBwd& op, const Node& node) : OwnKernel("act_bwd", node) {
    activation_type(node, {0, 1});
    if (op.act != Activation::relu) unsupported(node, "an activation that changes nothing is no operation");
  }
  [[nodiscard]] bool strided(int) const override { return true; }
  [[nodiscard]] bool in_place(int, int) const override { return true; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref dy = in(operands, 0), y = in(operands, 1), dx = out(operands, 0);
    for_tiles({dy, y, dx}, [&](const Tile& tile) { HWY_DYNAMIC_DISPATCH(relu_by_sign)(dy, y, dx, tile); });
  }
};

class AddKernel final : public OwnKernel {
 public:
  explicit AddKernel(const Node& node) : OwnKernel("add", node) {
    for (size_t i = 1; i < node.inputs.size(); ++i) activation_type(node, {0, i});
  }
  [[nodiscard]] bool strided(int) const override { return true; }
  [[nodiscard]] bool in_place(int, int) const override { return true; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const auto terms = operands.first(static_cast<size_t>(inputs()));
    const Ref y = out(operands, 0);
    for_tiles(operands, [&](const Tile& tile) { HWY_DYNAMIC_DISPATCH(add_all)(terms, y, tile); });
  }
};

}  // namespace

std::unique_ptr<Kernel> lower(const Bias&, const Node& node, const Context&) {
  return std::make_unique<BiasKernel>(node);
}

std::unique_ptr<Kernel> lower(const Act& op, const Node& node, const Context&) {
  return std::make_unique<ActKernel>(op, node);
}

std::unique_ptr<Kernel> lower(const ActBwd& op, const Node& node, const Context&) {
  return std::make_unique<ActBwdKernel>(op, node);
}

std::unique_ptr<Kernel> lower(const Add&, const Node& node, const Context&) {
  return std::make_unique<AddKernel>(node);
}

}  // namespace xf::cpu
#endif
