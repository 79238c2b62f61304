// The gradients of pooling, gathered: each input position sums what the windows that hold it send back, so no
// two tasks write one place.
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/pool_window.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pool_bwd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

#ifndef XF_KERNELS_CPU_POOL_BWD_ONCE
#define XF_KERNELS_CPU_POOL_BWD_ONCE
namespace xf::cpu {
namespace {
struct PoolBwdRun {
  PoolAxes axes;
  PoolKind kind;
  Ref dy, argmax, dx;
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class T, PoolKind kKind>
void gather_row(const PoolBwdRun& run, int64_t n, int64_t ih) {
  const PoolAxes& a = run.axes;
  const int64_t channels = run.dx.spec.shape.c, stride = run.dy.row_stride,
                arg_stride = run.argmax.row_stride;
  const T* dy = run.dy.as<T>() + n * a.h.out * a.w.out * stride;
  const Range rows = a.h.windows(ih);
  for (int64_t iw = 0; iw < a.w.in; ++iw) {
    const Range columns = a.w.windows(iw);
    T* dx = run.dx.as<T>() + ((n * a.h.in + ih) * a.w.in + iw) * run.dx.row_stride;
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      auto sum = hn::Zero(d);
      for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
        for (int64_t ow = columns.begin; ow < columns.end; ++ow) {
          const int64_t row = oh * a.w.out + ow;
          const auto g = load(d, dy + row * stride + c);
          if constexpr (kKind == PoolKind::average) {
            sum = hn::MulAdd(g, hn::Set(d, a.weight(oh, ow)), sum);
          } else {
            const hn::RebindToSigned<decltype(d)> di;
            const hn::Rebind<uint8_t, decltype(d)> d8;
            const int64_t here = (ih - a.h.start(oh)) * a.w.kernel + (iw - a.w.start(ow));
            const uint8_t* argmax = run.argmax.as<uint8_t>() + (n * a.h.out * a.w.out + row) * arg_stride + c;
            const auto chosen =
                hn::Eq(hn::PromoteTo(di, hn::LoadU(d8, argmax)), hn::Set(di, static_cast<int32_t>(here)));
            sum = hn::Add(sum, hn::IfThenElseZero(hn::RebindMask(d, chosen), g));
          }
        }
      }
      store(sum, d, dx + c);
    });
  }
}

void pool_bwd_row(const PoolBwdRun& run, int64_t n, int64_t ih) {
  with_type(run.dx.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    run.kind == PoolKind::average ? gather_row<T, PoolKind::average>(run, n, ih)
                                  : gather_row<T, PoolKind::max>(run, n, ih);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(pool_bwd_row);

class PoolBwdKernel final : public OwnKernel {
 public:
  PoolBwdKernel(const PoolBwd& op, const Node& node)
      : OwnKernel("pool_bwd", node), kind_(op.pool.kind), axes_(op.pool, op.input, node.inputs[0].shape()) {
    activation_type(node, {0});
  }
  [[nodiscard]] bool strided(int operand) const override { return operand == 0 || operand == inputs(); }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const PoolBwdRun pool{axes_, kind_, in(operands, 0), in(operands, 1), out(operands, 0)};
    parallel_for(pool.dx.spec.shape.n * axes_.h.in, [&](int64_t i) {
      HWY_DYNAMIC_DISPATCH(pool_bwd_row)(pool, i / axes_.h.in, i % axes_.h.in);
    });
  }

 private:
  PoolKind kind_;
  PoolAxes axes_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const PoolBwd& op, const Node& node, const Context&) {
  return std::make_unique<PoolBwdKernel>(op, node);
}

}  // namespace xf::cpu
#endif
