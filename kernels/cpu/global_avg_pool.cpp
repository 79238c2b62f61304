// The mean over the positions of an image, and its gradient.
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/global_avg_pool.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

#ifndef XF_KERNELS_CPU_GLOBAL_AVG_POOL_ONCE
#define XF_KERNELS_CPU_GLOBAL_AVG_POOL_ONCE
namespace xf::cpu {
namespace {
/// Channels [begin, end) of image n.
struct ChannelsOf {
  int64_t n, begin, end;
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void mean_of(const Ref& x, const Ref& y, ChannelsOf part) {
  const int64_t pixels = x.spec.shape.h * x.spec.shape.w, stride = x.row_stride;
  const T* first = x.as<T>() + part.n * pixels * stride + part.begin;
  float* sum = y.as<float>() + part.n * y.row_stride + part.begin;
  const int64_t channels = part.end - part.begin;
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR { store(hn::Zero(d), d, sum + c); });
  int64_t p = 0;
  for (; p + 4 <= pixels; p += 4) {
    const T* row = first + p * stride;
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      const auto low = hn::Add(load(d, row + c), load(d, row + stride + c));
      const auto high = hn::Add(load(d, row + 2 * stride + c), load(d, row + 3 * stride + c));
      store(hn::Add(load(d, sum + c), hn::Add(low, high)), d, sum + c);
    });
  }
  for (; p < pixels; ++p) {
    const T* row = first + p * stride;
    for_lanes(channels, [&](auto d, int64_t c)
                            HWY_ATTR { store(hn::Add(load(d, sum + c), load(d, row + c)), d, sum + c); });
  }
  const float weight = 1.0F / static_cast<float>(pixels);
  for_lanes(channels, [&](auto d, int64_t c)
                          HWY_ATTR { store(hn::Mul(load(d, sum + c), hn::Set(d, weight)), d, sum + c); });
}

template <class T>
void spread(const Ref& dy, const Ref& dx, ChannelsOf part) {
  const int64_t pixels = dx.spec.shape.h * dx.spec.shape.w, channels = part.end - part.begin;
  const float* g = dy.as<float>() + part.n * dy.row_stride + part.begin;
  const float weight = 1.0F / static_cast<float>(pixels);
  for (int64_t p = 0; p < pixels; ++p) {
    T* row = dx.as<T>() + (part.n * pixels + p) * dx.row_stride + part.begin;
    for_lanes(channels, [&](auto d, int64_t c)
                            HWY_ATTR { store(hn::Mul(load(d, g + c), hn::Set(d, weight)), d, row + c); });
  }
}

void gap_forward(const Ref& x, const Ref& y, ChannelsOf part) {
  with_type(x.spec.dtype, [&](auto* t) HWY_ATTR { mean_of<std::remove_pointer_t<decltype(t)>>(x, y, part); });
}

void gap_backward(const Ref& dy, const Ref& dx, ChannelsOf part) {
  with_type(dx.spec.dtype,
            [&](auto* t) HWY_ATTR { spread<std::remove_pointer_t<decltype(t)>>(dy, dx, part); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(gap_forward);
HWY_EXPORT(gap_backward);

/// Calls body with every image's channels, 256 at a time.
template <class Body>
void for_channels(const Shape& s, const Body& body) {
  const Blocks groups{s.c, 256};
  parallel_for(s.n * groups.count(), [&](int64_t i) {
    const int64_t g = i % groups.count();
    body(ChannelsOf{i / groups.count(), groups.begin(g), groups.end(g)});
  });
}

class GlobalAvgPoolKernel final : public OwnKernel {
 public:
  explicit GlobalAvgPoolKernel(const Node& node) : OwnKernel("global_avg_pool", node) {
    activation_type(node, {0});
  }
  [[nodiscard]] bool strided(int operand) const override { return operand == 0; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref x = in(operands, 0), y = out(operands, 0);
    for_channels(x.spec.shape, [&](ChannelsOf part) { HWY_DYNAMIC_DISPATCH(gap_forward)(x, y, part); });
  }
};

class GlobalAvgPoolBwdKernel final : public OwnKernel {
 public:
  explicit GlobalAvgPoolBwdKernel(const Node& node) : OwnKernel("global_avg_pool_bwd", node) {
    if (node.inputs[0].spec().dtype != DType::f32) unsupported(node, "the gradient of a mean must be f32");
  }
  [[nodiscard]] bool strided(int operand) const override { return operand == 1; }
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const Ref dy = in(operands, 0), dx = out(operands, 0);
    for_channels(dx.spec.shape, [&](ChannelsOf part) { HWY_DYNAMIC_DISPATCH(gap_backward)(dy, dx, part); });
  }
};

}  // namespace

std::unique_ptr<Kernel> lower(const GlobalAvgPool&, const Node& node, const Context&) {
  return std::make_unique<GlobalAvgPoolKernel>(node);
}

std::unique_ptr<Kernel> lower(const GlobalAvgPoolBwd&, const Node& node, const Context&) {
  return std::make_unique<GlobalAvgPoolBwdKernel>(node);
}

}  // namespace xf::cpu
#endif
