// Maximum and average pooling: one task a row of the output, vectors of channels.
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/pool_window.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pool.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

#ifndef XF_KERNELS_CPU_POOL_ONCE
#define XF_KERNELS_CPU_POOL_ONCE
namespace xf::cpu {
namespace {
struct PoolRun {
  PoolAxes axes;
  PoolKind kind;
  Ref x, y, argmax;
};
/// One output position: the input under its window.
struct Window {
  Range h, w;
  int64_t top, left;  ///< where the window starts, maybe in the padding
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// `x`: the image's first pixel.
template <class T>
void average(const PoolRun& run, const T* x, const Window& window, float weight, T* y) {
  const int64_t channels = run.x.spec.shape.c, width = run.axes.w.in, stride = run.x.row_stride;
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (int64_t h = window.h.begin; h < window.h.end; ++h)
      for (int64_t w = window.w.begin; w < window.w.end; ++w)
        sum = hn::Add(sum, load(d, x + (h * width + w) * stride + c));
    store(hn::Mul(sum, hn::Set(d, weight)), d, y + c);
  });
}

template <class T, bool kArgmax>
void maximum(const PoolRun& run, const T* x, const Window& window, T* y, uint8_t* argmax) {
  const int64_t channels = run.x.spec.shape.c, width = run.axes.w.in, stride = run.x.row_stride;
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    auto best = hn::Set(d, -hwy::HighestValue<float>());
    best = hn::Sub(best, hn::Set(d, hwy::HighestValue<float>()));  // minus infinity
    auto position = hn::Zero(di);
    for (int64_t h = window.h.begin; h < window.h.end; ++h) {
      for (int64_t w = window.w.begin; w < window.w.end; ++w) {
        const auto v = load(d, x + (h * width + w) * stride + c);
        const auto higher = hn::Gt(v, best);
        best = hn::IfThenElse(higher, v, best);
        if constexpr (kArgmax) {
          const int64_t here = (h - window.top) * run.axes.w.kernel + (w - window.left);
          position =
              hn::IfThenElse(hn::RebindMask(di, higher), hn::Set(di, static_cast<int32_t>(here)), position);
        }
      }
    }
    store(best, d, y + c);
    if constexpr (kArgmax) {
      const hn::Rebind<uint8_t, decltype(d)> d8;
      hn::StoreU(hn::DemoteTo(d8, position), d8, argmax + c);
    }
  });
}

template <class T>
void pool_row_of(const PoolRun& run, int64_t n, int64_t oh) {
  const PoolAxes& a = run.axes;
  const T* x = run.x.as<T>() + n * a.h.in * a.w.in * run.x.row_stride;
  for (int64_t ow = 0; ow < a.w.out; ++ow) {
    const int64_t row = (n * a.h.out + oh) * a.w.out + ow;
    T* y = run.y.as<T>() + row * run.y.row_stride;
    const Window window{a.h.inputs(oh), a.w.inputs(ow), a.h.start(oh), a.w.start(ow)};
    if (run.kind == PoolKind::average)
      average(run, x, window, a.weight(oh, ow), y);
    else if (run.argmax)
      maximum<T, true>(run, x, window, y, run.argmax.as<uint8_t>() + row * run.argmax.row_stride);
    else
      maximum<T, false>(run, x, window, y, nullptr);
  }
}

void pool_row(const PoolRun& run, int64_t n, int64_t oh) {
  with_type(run.x.spec.dtype,
            [&](auto* t) HWY_ATTR { pool_row_of<std::remove_pointer_t<decltype(t)>>(run, n, oh); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(pool_row);

class PoolKernel final : public OwnKernel {
 public:
  PoolKernel(const Pool& op, const Node& node)
      : OwnKernel("pool", node), kind_(op.kind), axes_(op, node.inputs[0].shape(), node.outputs[0].shape) {
    activation_type(node, {0});
  }
  [[nodiscard]] bool strided(int operand) const override { return operand <= 1; }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const PoolRun pool{axes_, kind_, in(operands, 0), out(operands, 0), out(operands, 1)};
    parallel_for(pool.x.spec.shape.n * axes_.h.out, [&](int64_t i) {
      HWY_DYNAMIC_DISPATCH(pool_row)(pool, i / axes_.h.out, i % axes_.h.out);
    });
  }

 private:
  PoolKind kind_;
  PoolAxes axes_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Pool& op, const Node& node, const Context&) {
  return std::make_unique<PoolKernel>(op, node);
}

}  // namespace xf::cpu
#endif
