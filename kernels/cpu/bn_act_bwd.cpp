// The gradient of batch normalisation, residual and activation: one pass that reads for the sums (and writes
// the residual's gradient), one that reads and writes.
#include <array>
#include <type_traits>

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
/// One pass. Masks dy where the activation was off, then writes what is there of masked = masked dy and
/// dx = by_dy * masked + by_x * (x - mean) + constant. The activation was off where y <= 0, or where
/// by_dy * (x - mean) + beta <= 0, or nowhere, where neither y nor beta is there. by_x is null where dx does
/// not depend on x.
struct BnBwdPass {
  Ref dy, x, y, masked, dx;
  const float *mean, *beta, *by_dy, *by_x, *constant;
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

/// What tells where the activation was off.
enum class Sign : uint8_t { none, of_y, of_x };

/// What a pass does besides: the sums may write the masked gradient, the derivative may depend on x.
enum class Extra : uint8_t { none, write_masked, read_x };

/// What is known of a pass when it is compiled.
template <class Type, Sign kSignValue, Extra kExtraValue>
struct Variant {
  using T = Type;
  static constexpr Sign kSign = kSignValue;
  static constexpr Extra kExtra = kExtraValue;
};

/// Calls f with the Variant of a pass. `p` says the rest.
template <Extra kExtra, class F>
HWY_INLINE void with_variant(const BnBwdPass& p, F f) {
  with_type(p.x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    if (p.y)
      f(Variant<T, Sign::of_y, kExtra>{});
    else if (p.beta != nullptr)
      f(Variant<T, Sign::of_x, kExtra>{});
    else
      f(Variant<T, Sign::none, kExtra>{});
  });
}

/// Loads one row after the other of the pass's operands.
template <class V>
struct Rows {
  using T = typename V::T;
  const T *dy, *x, *y;
  T *masked, *dx;

  Rows(const BnBwdPass& p, int64_t r)
      : dy(row_of<T>(p.dy, r)),
        x(row_of<T>(p.x, r)),
        y(row_of<T>(V::kSign == Sign::of_y ? p.y : p.dy, r)),
        masked(row_of<T>(p.masked, r)),
        dx(row_of<T>(p.dx, r)) {}

  /// dy at channel c where the activation was on, else 0. `dev`: x - mean.
  template <class D>
  HWY_INLINE hn::Vec<D> gradient(D d, int64_t c, hn::Vec<D> dev, hn::Vec<D> scale, hn::Vec<D> beta) const {
    const auto g = load_early(d, dy + c);
    if constexpr (V::kSign == Sign::of_y) return hn::IfThenElseZero(hn::Gt(load(d, y + c), hn::Zero(d)), g);
    if constexpr (V::kSign == Sign::of_x)
      return hn::IfThenElseZero(hn::Gt(hn::MulAdd(dev, scale, beta), hn::Zero(d)), g);
    return g;
  }
};

template <class V, int kRows>
HWY_INLINE std::array<Rows<V>, kRows> rows_from(const BnBwdPass& p, int64_t r) {
  if constexpr (kRows == 1)
    return {Rows<V>(p, r)};
  else
    return {Rows<V>(p, r), Rows<V>(p, r + 1), Rows<V>(p, r + 2), Rows<V>(p, r + 3)};
}

template <class V, class D>
HWY_INLINE hn::Vec<D> beta_of(D d, const BnBwdPass& p, int64_t c) {
  if constexpr (V::kSign == Sign::of_x) return load(d, p.beta + c);
  return hn::Zero(d);
}

/// Adds the sums over kRows rows from row r on, taken side by side.
template <class V, int kRows>
HWY_INLINE void add_rows(const BnBwdPass& p, int64_t r, ChannelPair out) {
  std::array<Rows<V>, kRows> rows = rows_from<V, kRows>(p, r);
  for_lanes(p.x.spec.shape.c, [&](auto d, int64_t c) HWY_ATTR {
    const auto mean = load(d, p.mean + c), scale = load(d, p.by_dy + c), beta = beta_of<V>(d, p, c);
    auto sum = load(d, out.first + c), product = load(d, out.second + c);
    for (const Rows<V>& row : rows) {
      const auto dev = hn::Sub(load(d, row.x + c), mean), g = row.gradient(d, c, dev, scale, beta);
      if constexpr (V::kExtra == Extra::write_masked) store(g, d, row.masked + c);
      sum = hn::Add(sum, g);
      product = hn::MulAdd(g, dev, product);
    }
    store(sum, d, out.first + c);
    store(product, d, out.second + c);
  });
}

/// kRows rows of what the pass writes.
template <class V, int kRows>
HWY_INLINE void differentiate_rows(const BnBwdPass& p, int64_t r) {
  std::array<Rows<V>, kRows> rows = rows_from<V, kRows>(p, r);
  for_lanes(p.dy.spec.shape.c, [&](auto d, int64_t c) HWY_ATTR {
    const auto scale = load(d, p.by_dy + c), beta = beta_of<V>(d, p, c), mean = load(d, p.mean + c);
    auto by_x = hn::Zero(d), constant = hn::Zero(d);
    if constexpr (V::kExtra == Extra::read_x) {
      by_x = load(d, p.by_x + c);
      constant = load(d, p.constant + c);
    }
    for (const Rows<V>& row : rows) {
      auto dev = hn::Zero(d);
      if constexpr (V::kExtra == Extra::read_x || V::kSign == Sign::of_x)
        dev = hn::Sub(load(d, row.x + c), mean);
      const auto g = row.gradient(d, c, dev, scale, beta);
      if (row.masked != nullptr) store(g, d, row.masked + c);
      if (row.dx != nullptr) store(hn::MulAdd(g, scale, hn::MulAdd(dev, by_x, constant)), d, row.dx + c);
    }
  });
}

template <Extra kExtra>
void add_block(const BnBwdPass& p, int64_t first, int64_t last, ChannelPair out) {
  with_variant<kExtra>(p, [&](auto variant) HWY_ATTR {
    using V = decltype(variant);
    int64_t r = first;
    for (; r + 4 <= last; r += 4) add_rows<V, 4>(p, r, out);
    for (; r < last; ++r) add_rows<V, 1>(p, r, out);
  });
}

template <Extra kExtra>
void differentiate_block(const BnBwdPass& p, int64_t first, int64_t last) {
  with_variant<kExtra>(p, [&](auto variant) HWY_ATTR {
    using V = decltype(variant);
    int64_t r = first;
    for (; r + 4 <= last; r += 4) differentiate_rows<V, 4>(p, r);
    for (; r < last; ++r) differentiate_rows<V, 1>(p, r);
  });
}

/// The block's sums of masked dy and of masked dy * (x - mean).
void bn_bwd_sums(const BnBwdPass& p, int64_t first, int64_t last, ChannelPair out) {
  for_lanes(p.x.spec.shape.c, [&](auto d, int64_t c) HWY_ATTR {
    store(hn::Zero(d), d, out.first + c);
    store(hn::Zero(d), d, out.second + c);
  });
  p.masked ? add_block<Extra::write_masked>(p, first, last, out)
           : add_block<Extra::none>(p, first, last, out);
}

void bn_bwd_dx(const BnBwdPass& p, int64_t first, int64_t last) {
  p.by_x != nullptr ? differentiate_block<Extra::read_x>(p, first, last)
                    : differentiate_block<Extra::none>(p, first, last);
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
    const bool active = bn_.act != Activation::none, batch = bn_.mode == BnMode::batch;
    const auto *gamma = in(operands, 3).as<float>(), *inv_std = in(operands, 5).as<float>();
    const Ref dx = out(operands, 0), out_dgamma = out(operands, 1), out_dbeta = out(operands, 2);
    BnBwdPass pass{};
    pass.dy = in(operands, 0);
    pass.x = in(operands, 1);
    if (active) pass.y = in(operands, 2);
    pass.masked = out(operands, kResidual);
    pass.mean = in(operands, 4).as<float>();
    if (active && !pass.y) pass.beta = in(operands, 6).as<float>();
    pass.by_dy = by_dy;
    for (int64_t c = 0; c < x_.c; ++c) by_dy[c] = gamma != nullptr ? inv_std[c] * gamma[c] : inv_std[c];
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
      if (pass.masked) {  // written by the first pass, so the second needs no sign
        pass.dy = pass.masked;
        pass.masked = pass.y = {};
        pass.beta = nullptr;
      }
    }
    pass.dx = dx;
    if (!dx && !pass.masked) return;
    if (batch) {
      const auto n = static_cast<float>(x_.rows());
      for (int64_t c = 0; c < x_.c; ++c) {
        by_x[c] = -by_dy[c] * inv_std[c] * dgamma[c] / n;
        constant[c] = -by_dy[c] * dbeta[c] / n;
      }
      pass.by_x = by_x;
      pass.constant = constant;
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
