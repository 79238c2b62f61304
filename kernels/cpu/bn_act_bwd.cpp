// The gradient of batch normalisation, residual and activation: one pass that reads for the sums (and writes
// the residual's gradient), one that reads and writes.
#include "kernels/cpu/block_sums.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/bn_act_bwd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

#ifndef XF_KERNELS_CPU_BN_ACT_BWD_ONCE
#define XF_KERNELS_CPU_BN_ACT_BWD_ONCE
namespace xf::cpu {
namespace {
/// One pass: masks dy by the sign of y (unless y is empty), then writes what is there of masked = masked dy
/// and dx = by_dy * masked + by_x * (x - mean) + constant. by_x is null where dx does not depend on x.
struct BnBwdPass {
  Ref dy, x, y, masked, dx;
  const float *mean, *by_dy, *by_x, *constant;
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class T>
T* row_of(const Ref& ref, int64_t r) {
  return ref ? ref.as<T>() + r * ref.row_stride : nullptr;
}

/// dy where y > 0; all of it where there is no mask.
template <bool kMask, class T, class D>
HWY_INLINE hn::Vec<D> masked(D d, const T* dy, const T* y) {
  const auto v = load(d, dy);
  if constexpr (kMask) return hn::IfThenElseZero(hn::Gt(load(d, y), hn::Zero(d)), v);
  return v;
}

/// The block's sums of masked dy and of masked dy * (x - mean), four rows at a time.
template <class T, bool kMask, bool kWrite>
void block_sums(const BnBwdPass& p, int64_t first, int64_t last, ChannelPair out) {
  const int64_t channels = p.x.spec.shape.c;
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
    store(hn::Zero(d), d, out.first + c);
    store(hn::Zero(d), d, out.second + c);
  });
  const int64_t sdy = p.dy.row_stride, sx = p.x.row_stride, sm = p.masked.row_stride;
  const int64_t sy = kMask ? p.y.row_stride : sdy;
  int64_t r = first;
  for (; r + 4 <= last; r += 4) {
    const T *dy = row_of<T>(p.dy, r), *x = row_of<T>(p.x, r), *y = row_of<T>(kMask ? p.y : p.dy, r);
    T* m = row_of<T>(p.masked, r);
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      const auto mean = load(d, p.mean + c);
      const auto g0 = masked<kMask>(d, dy + c, y + c), g1 = masked<kMask>(d, dy + sdy + c, y + sy + c);
      const auto g2 = masked<kMask>(d, dy + 2 * sdy + c, y + 2 * sy + c);
      const auto g3 = masked<kMask>(d, dy + 3 * sdy + c, y + 3 * sy + c);
      const auto x0 = hn::Sub(load(d, x + c), mean), x1 = hn::Sub(load(d, x + sx + c), mean);
      const auto x2 = hn::Sub(load(d, x + 2 * sx + c), mean), x3 = hn::Sub(load(d, x + 3 * sx + c), mean);
      if constexpr (kWrite) {
        store(g0, d, m + c);
        store(g1, d, m + sm + c);
        store(g2, d, m + 2 * sm + c);
        store(g3, d, m + 3 * sm + c);
      }
      const auto sum = hn::Add(hn::Add(g0, g1), hn::Add(g2, g3));
      const auto product = hn::Add(hn::MulAdd(g1, x1, hn::Mul(g0, x0)), hn::MulAdd(g3, x3, hn::Mul(g2, x2)));
      store(hn::Add(load(d, out.first + c), sum), d, out.first + c);
      store(hn::Add(load(d, out.second + c), product), d, out.second + c);
    });
  }
  for (; r < last; ++r) {
    const T *dy = row_of<T>(p.dy, r), *x = row_of<T>(p.x, r), *y = row_of<T>(kMask ? p.y : p.dy, r);
    T* m = row_of<T>(p.masked, r);
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      const auto g = masked<kMask>(d, dy + c, y + c), dev = hn::Sub(load(d, x + c), load(d, p.mean + c));
      if constexpr (kWrite) store(g, d, m + c);
      store(hn::Add(load(d, out.first + c), g), d, out.first + c);
      store(hn::MulAdd(g, dev, load(d, out.second + c)), d, out.second + c);
    });
  }
}

template <class T, bool kMask, bool kByX>
void differentiate(const BnBwdPass& p, int64_t first, int64_t last) {
  const int64_t channels = p.dy.spec.shape.c;
  for (int64_t r = first; r < last; ++r) {
    const T *dy = row_of<T>(p.dy, r), *x = row_of<T>(p.x, r), *y = row_of<T>(kMask ? p.y : p.dy, r);
    T *m = row_of<T>(p.masked, r), *dx = row_of<T>(p.dx, r);
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      const auto g = masked<kMask>(d, dy + c, y + c);
      auto v = hn::Mul(g, load(d, p.by_dy + c));
      if constexpr (kByX) {
        const auto dev = hn::Sub(load(d, x + c), load(d, p.mean + c));
        v = hn::Add(v, hn::MulAdd(dev, load(d, p.by_x + c), load(d, p.constant + c)));
      }
      if (m != nullptr) store(g, d, m + c);
      if (dx != nullptr) store(v, d, dx + c);
    });
  }
}

void bn_bwd_sums(const BnBwdPass& p, int64_t first, int64_t last, ChannelPair out) {
  with_type(p.x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    if (p.y)
      p.masked ? block_sums<T, true, true>(p, first, last, out)
               : block_sums<T, true, false>(p, first, last, out);
    else
      p.masked ? block_sums<T, false, true>(p, first, last, out)
               : block_sums<T, false, false>(p, first, last, out);
  });
}

void bn_bwd_dx(const BnBwdPass& p, int64_t first, int64_t last) {
  with_type(p.x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    if (p.y)
      p.by_x != nullptr ? differentiate<T, true, true>(p, first, last)
                        : differentiate<T, true, false>(p, first, last);
    else
      p.by_x != nullptr ? differentiate<T, false, true>(p, first, last)
                        : differentiate<T, false, false>(p, first, last);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(bn_bwd_sums);
HWY_EXPORT(bn_bwd_dx);

class BnActBwdKernel final : public OwnKernel {
 public:
  BnActBwdKernel(const BnActBwd& op, const Node& node)
      : OwnKernel("bn_act_bwd", node), bn_(op.bn), x_(node.inputs[1].shape()) {
    activation_type(node, {0, 1, 2});
  }
  [[nodiscard]] size_t workspace() const override {
    return static_cast<size_t>(kVectors * x_.c + BlockSums::floats(x_)) * sizeof(float);
  }
  [[nodiscard]] bool strided(int operand) const override {
    return operand <= 2 || operand == inputs() || operand == inputs() + kResidual;
  }
  /// The first pass may write dresidual, so it must not lie in x, which the second reads.
  [[nodiscard]] bool in_place(int output, int input) const override {
    return (output == 0 && input <= 2) || (output == kResidual && (input == 0 || input == 2));
  }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    auto* by_dy = reinterpret_cast<float*>(scratch.data);
    float *by_x = by_dy + x_.c, *constant = by_x + x_.c, *dbeta = constant + x_.c, *dgamma = dbeta + x_.c;
    const Ref y = bn_.act == Activation::none ? Ref{} : in(operands, 2);
    const auto *gamma = in(operands, 3).as<float>(), *inv_std = in(operands, 5).as<float>();
    const Ref dx = out(operands, 0), out_dgamma = out(operands, 1), out_dbeta = out(operands, 2);
    BnBwdPass pass{
        in(operands, 0), in(operands, 1), y,       out(operands, kResidual), dx, in(operands, 4).as<float>(),
        by_dy,           nullptr,         constant};
    const bool batch = bn_.mode == BnMode::batch;
    if ((batch && dx) || out_dgamma || out_dbeta) {
      const BlockSums sums(x_, by_dy + kVectors * x_.c);
      const Blocks& blocks = sums.blocks();
      parallel_for(blocks.count(), [&](int64_t b) {
        HWY_DYNAMIC_DISPATCH(bn_bwd_sums)(pass, blocks.begin(b), blocks.end(b), sums[b]);
      });
      sums.total({dbeta, dgamma});
      for (int64_t c = 0; c < x_.c; ++c) dgamma[c] *= inv_std[c];
      if (out_dbeta) std::copy(dbeta, dbeta + x_.c, out_dbeta.as<float>());
      if (out_dgamma) std::copy(dgamma, dgamma + x_.c, out_dgamma.as<float>());
      if (pass.masked) {  // written by the first pass: the second needs y no longer
        pass.dy = pass.masked;
        pass.masked = pass.y = {};
      }
    }
    if (!dx && !pass.masked) return;
    if (batch) pass.by_x = by_x;
    const auto n = static_cast<float>(x_.rows());
    for (int64_t c = 0; c < x_.c; ++c) {
      by_dy[c] = gamma != nullptr ? gamma[c] * inv_std[c] : inv_std[c];
      if (!batch) continue;
      by_x[c] = -by_dy[c] * inv_std[c] * dgamma[c] / n;
      constant[c] = -by_dy[c] * dbeta[c] / n;
    }
    const Blocks blocks = row_blocks(x_.rows(), x_.c);
    parallel_for(blocks.count(), [&](int64_t i) {  // backwards: what was read last is still in the cache
      const int64_t b = blocks.count() - 1 - i;
      HWY_DYNAMIC_DISPATCH(bn_bwd_dx)(pass, blocks.begin(b), blocks.end(b));
    });
  }

 private:
  static constexpr int kResidual = 3;
  static constexpr int64_t kVectors = 5;  ///< by_dy, by_x, constant, dbeta and dgamma in the workspace
  BnAct bn_;
  Shape x_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const BnActBwd& op, const Node& node, const Context&) {
  return std::make_unique<BnActBwdKernel>(op, node);
}

}  // namespace xf::cpu
#endif
