// Maximum and average pooling: one task a row of the output, vectors of channels.
#include <vector>

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
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// Averages are separable: sums over the window's rows first, once for each column of the input, then over
/// its columns.
template <class T>
void average_row(const PoolRun& run, int64_t n, int64_t oh) {
  const PoolAxes& a = run.axes;
  const int64_t channels = run.x.spec.shape.c, stride = run.x.row_stride, line = a.w.in * stride;
  thread_local std::vector<float> sums;
  sums.resize(static_cast<size_t>(a.w.in * channels));
  float* const sum = sums.data();
  const Range rows = a.h.inputs(oh);
  const T* first = run.x.as<T>() + (n * a.h.in + rows.begin) * line;
  for_rows(a.w.in, stride, channels, [&](auto d, int64_t w, int64_t c) HWY_ATTR {
    auto v = hn::Zero(d);
    for (int64_t h = 0; h < rows.end - rows.begin; ++h)
      v = hn::Add(v, load(d, first + h * line + w * stride + c));
    store(v, d, sum + w * channels + c);
  });
  for (int64_t ow = 0; ow < a.w.out; ++ow) {
    const Range columns = a.w.inputs(ow);
    T* y = run.y.as<T>() + ((n * a.h.out + oh) * a.w.out + ow) * run.y.row_stride;
    const float weight = a.weight(oh, ow);
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      auto v = hn::Zero(d);
      for (int64_t w = columns.begin; w < columns.end; ++w) v = hn::Add(v, load(d, sum + w * channels + c));
      store(hn::Mul(v, hn::Set(d, weight)), d, y + c);
    });
  }
}

/// One output position: the input under its window, and where the first of it lies in the kernel.
struct Window {
  int64_t height, width, kernel_row, kernel_column;
};

/// `x`: the window's first input pixel. kSide: the extent of a window that is all inside, where known, else
/// 0.
template <class T, bool kArgmax, int kSide>
HWY_INLINE void maximum(const PoolRun& run, const T* x, const Window& window, T* y, uint8_t* argmax) {
  const int64_t stride = run.x.row_stride, line = run.axes.w.in * stride;
  const int64_t height = kSide > 0 ? kSide : window.height, width = kSide > 0 ? kSide : window.width;
  const auto kernel_width = static_cast<int32_t>(run.axes.w.kernel);
  const auto corner = static_cast<int32_t>(window.kernel_row * kernel_width + window.kernel_column);
  for_lanes(run.x.spec.shape.c, [&](auto d, int64_t c) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    auto best = load(d, x + c);
    auto position = hn::Set(di, corner);
    for (int64_t h = 0; h < height; ++h) {
      for (int64_t w = 0; w < width; ++w) {
        const auto v = load(d, x + h * line + w * stride + c);
        // Or the first NaN, which no number is higher than.
        const auto higher = hn::AndNot(hn::Le(v, best), hn::Eq(best, best));
        best = hn::IfThenElse(higher, v, best);
        if constexpr (kArgmax) {
          const auto here =
              hn::Set(di, corner + static_cast<int32_t>(h) * kernel_width + static_cast<int32_t>(w));
          position = hn::IfThenElse(hn::RebindMask(di, higher), here, position);
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

template <class T, bool kArgmax>
void maximum_row(const PoolRun& run, int64_t n, int64_t oh) {
  const PoolAxes& a = run.axes;
  const Range rows = a.h.inputs(oh);
  const int64_t height = rows.end - rows.begin;
  for (int64_t ow = 0; ow < a.w.out; ++ow) {
    const Range columns = a.w.inputs(ow);
    const int64_t width = columns.end - columns.begin, row = (n * a.h.out + oh) * a.w.out + ow;
    const Window window{height, width, rows.begin - a.h.start(oh), columns.begin - a.w.start(ow)};
    const T* x = run.x.as<T>() + ((n * a.h.in + rows.begin) * a.w.in + columns.begin) * run.x.row_stride;
    T* y = run.y.as<T>() + row * run.y.row_stride;
    uint8_t* argmax = kArgmax ? run.argmax.as<uint8_t>() + row * run.argmax.row_stride : nullptr;
    if (height == 3 && width == 3)
      maximum<T, kArgmax, 3>(run, x, window, y, argmax);
    else
      maximum<T, kArgmax, 0>(run, x, window, y, argmax);
  }
}

void pool_row(const PoolRun& run, int64_t n, int64_t oh) {
  with_type(run.x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    if (run.kind == PoolKind::average)
      average_row<T>(run, n, oh);
    else
      run.argmax ? maximum_row<T, true>(run, n, oh) : maximum_row<T, false>(run, n, oh);
  });
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
    const Range bottom = axes_.h.inputs(axes_.h.out - 1), right = axes_.w.inputs(axes_.w.out - 1);
    if (bottom.begin >= bottom.end || right.begin >= right.end)
      unsupported(node, "its last windows hold nothing but padding");
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
