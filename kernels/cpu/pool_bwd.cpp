// The gradients of pooling, gathered: each input position sums what the windows that hold it send back, so no
// two tasks write one place.
#include <array>
#include <vector>

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
  const float *h_weights, *w_weights;  ///< of an average's windows along each axis
  Ref dy, argmax, dx;
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// Averages are separable: sums over the windows' rows first, once for each column of the output, then over
/// their columns.
template <class T>
void average_bwd_row(const PoolBwdRun& run, int64_t n, int64_t ih) {
  const PoolAxes& a = run.axes;
  const int64_t channels = run.dx.spec.shape.c, stride = run.dy.row_stride, line = a.w.out * stride;
  thread_local std::vector<float> sums;
  sums.resize(static_cast<size_t>(a.w.out * channels));
  float* const sum = sums.data();
  const T* dy = run.dy.as<T>() + n * a.h.out * line;
  const Range rows = a.h.windows(ih);
  for_rows(a.w.out, stride, channels, [&](auto d, int64_t w, int64_t c) HWY_ATTR {
    auto v = hn::Zero(d);
    for (int64_t h = rows.begin; h < rows.end; ++h)
      v = hn::MulAdd(load(d, dy + h * line + w * stride + c), hn::Set(d, run.h_weights[h]), v);
    store(v, d, sum + w * channels + c);
  });
  for (int64_t iw = 0; iw < a.w.in; ++iw) {
    const Range columns = a.w.windows(iw);
    T* dx = run.dx.as<T>() + ((n * a.h.in + ih) * a.w.in + iw) * run.dx.row_stride;
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      auto v = hn::Zero(d);
      for (int64_t w = columns.begin; w < columns.end; ++w)
        v = hn::MulAdd(load(d, sum + w * channels + c), hn::Set(d, run.w_weights[w]), v);
      store(v, d, dx + c);
    });
  }
}

/// One window that holds an input position: its gradient, its maximum's position, and the input's position in
/// it.
template <class T>
struct Sender {
  const T* dy;
  const uint8_t* argmax;
  int32_t here;
};

template <class T>
void maximum_bwd_row(const PoolBwdRun& run, int64_t n, int64_t ih) {
  const PoolAxes& a = run.axes;
  const Range rows = a.h.windows(ih);
  std::array<Sender<T>, 256> senders;  // a kernel has at most 255 positions
  for (int64_t iw = 0; iw < a.w.in; ++iw) {
    const Range columns = a.w.windows(iw);
    size_t count = 0;
    for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
      for (int64_t ow = columns.begin; ow < columns.end; ++ow) {
        const int64_t row = (n * a.h.out + oh) * a.w.out + ow;
        senders[count++] = {run.dy.as<T>() + row * run.dy.row_stride,
                            run.argmax.as<uint8_t>() + row * run.argmax.row_stride,
                            static_cast<int32_t>((ih - a.h.start(oh)) * a.w.kernel + (iw - a.w.start(ow)))};
      }
    }
    T* dx = run.dx.as<T>() + ((n * a.h.in + ih) * a.w.in + iw) * run.dx.row_stride;
    for_lanes(run.dx.spec.shape.c, [&](auto d, int64_t c) HWY_ATTR {
      const hn::RebindToSigned<decltype(d)> di;
      const hn::Rebind<uint8_t, decltype(d)> d8;
      auto sum = hn::Zero(d);
      for (size_t i = 0; i < count; ++i) {
        const Sender<T>& s = senders[i];
        const auto chosen = hn::Eq(hn::PromoteTo(di, hn::LoadU(d8, s.argmax + c)), hn::Set(di, s.here));
        sum = hn::Add(sum, hn::IfThenElseZero(hn::RebindMask(d, chosen), load_early(d, s.dy + c)));
      }
      store(sum, d, dx + c);
    });
  }
}

void pool_bwd_row(const PoolBwdRun& run, int64_t n, int64_t ih) {
  with_type(run.dx.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    run.kind == PoolKind::average ? average_bwd_row<T>(run, n, ih) : maximum_bwd_row<T>(run, n, ih);
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
    for (int64_t o = 0; o < axes_.h.out; ++o) h_weights_.push_back(axes_.h.weight(o));
    for (int64_t o = 0; o < axes_.w.out; ++o) w_weights_.push_back(axes_.w.weight(o));
  }
  [[nodiscard]] bool strided(int operand) const override { return operand == 0 || operand == inputs(); }

  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    const PoolBwdRun pool{axes_,           kind_,           h_weights_.data(), w_weights_.data(),
                          in(operands, 0), in(operands, 1), out(operands, 0)};
    parallel_for(pool.dx.spec.shape.n * axes_.h.in, [&](int64_t i) {
      HWY_DYNAMIC_DISPATCH(pool_bwd_row)(pool, i / axes_.h.in, i % axes_.h.in);
    });
  }

 private:
  PoolKind kind_;
  PoolAxes axes_;
  std::vector<float> h_weights_, w_weights_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const PoolBwd& op, const Node& node, const Context&) {
  return std::make_unique<PoolBwdKernel>(op, node);
}

}  // namespace xf::cpu
#endif
