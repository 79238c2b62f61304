// Batch normalisation, residual and activation in one: one pass that reads for the statistics, one that reads
// and writes.
#include <cmath>

#include "kernels/cpu/block_sums.h"
#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/bn_act.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

#ifndef XF_KERNELS_CPU_BN_ACT_ONCE
#define XF_KERNELS_CPU_BN_ACT_ONCE
namespace xf::cpu {
namespace {
enum class Stores : uint8_t { cached, past_caches };
/// y = act((x - mean) * scale + shift + residual)
struct Affine {
  Ref x, residual, y;
  const float *mean, *scale, *shift;
  Activation act;
  Stores stores;
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// The middle one of three numbers of each channel.
template <class T>
struct Median {
  const T *a, *b, *c;
  template <class D>
  HWY_INLINE hn::Vec<D> operator()(D d, int64_t i) const {
    const auto va = load(d, a + i), vb = load(d, b + i), vc = load(d, c + i);
    return hn::Max(hn::Min(va, vb), hn::Min(hn::Max(va, vb), vc));
  }
};

/// The block's mean and sum of squared deviations, per channel. Deviations from the median of its first,
/// middle and last row are summed: small numbers, however far the mean is from zero, and a single row from
/// the mean.
template <class T>
void block_moments(const Ref& x, int64_t first, int64_t last, ChannelPair out) {
  const int64_t channels = x.spec.shape.c, stride = x.row_stride;
  const auto row_at = [&](int64_t r) { return x.as<T>() + r * stride; };
  const Median<T> origin{row_at(first), row_at((first + last) / 2), row_at(last - 1)};
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
    store(hn::Zero(d), d, out.first + c);
    store(hn::Zero(d), d, out.second + c);
  });
  int64_t r = first;
  for (; r + 8 <= last; r += 8) {
    const T* row = x.as<T>() + r * stride;
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      const auto shift = origin(d, c);
      const T* p = row + c;
      const auto d0 = hn::Sub(load(d, p), shift), d1 = hn::Sub(load(d, p + stride), shift);
      const auto d2 = hn::Sub(load(d, p + 2 * stride), shift), d3 = hn::Sub(load(d, p + 3 * stride), shift);
      const auto d4 = hn::Sub(load(d, p + 4 * stride), shift), d5 = hn::Sub(load(d, p + 5 * stride), shift);
      const auto d6 = hn::Sub(load(d, p + 6 * stride), shift), d7 = hn::Sub(load(d, p + 7 * stride), shift);
      const auto sum =
          hn::Add(hn::Add(hn::Add(d0, d1), hn::Add(d2, d3)), hn::Add(hn::Add(d4, d5), hn::Add(d6, d7)));
      const auto q0 = hn::MulAdd(d1, d1, hn::Mul(d0, d0)), q1 = hn::MulAdd(d3, d3, hn::Mul(d2, d2));
      const auto q2 = hn::MulAdd(d5, d5, hn::Mul(d4, d4)), q3 = hn::MulAdd(d7, d7, hn::Mul(d6, d6));
      const auto square = hn::Add(hn::Add(q0, q1), hn::Add(q2, q3));
      store(hn::Add(load(d, out.first + c), sum), d, out.first + c);
      store(hn::Add(load(d, out.second + c), square), d, out.second + c);
    });
  }
  for (; r < last; ++r) {
    const T* row = x.as<T>() + r * stride;
    for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
      const auto d0 = hn::Sub(load(d, row + c), origin(d, c));
      store(hn::Add(load(d, out.first + c), d0), d, out.first + c);
      store(hn::MulAdd(d0, d0, load(d, out.second + c)), d, out.second + c);
    });
  }
  const float inverse = 1.0F / static_cast<float>(last - first);
  for_lanes(channels, [&](auto d, int64_t c) HWY_ATTR {
    const auto sum = load(d, out.first + c), mean = hn::Mul(sum, hn::Set(d, inverse));
    store(hn::NegMulAdd(sum, mean, load(d, out.second + c)), d, out.second + c);
    store(hn::Add(origin(d, c), mean), d, out.first + c);
  });
}

void bn_moments(const Ref& x, int64_t first, int64_t last, ChannelPair out) {
  with_type(x.spec.dtype, [&](auto* t) HWY_ATTR {
    block_moments<std::remove_pointer_t<decltype(t)>>(x, first, last, out);
  });
}

/// kRows rows from row r on, side by side: they share the loads of the channels' numbers.
template <class T, bool kRelu, bool kResidual, Stores kStores, int kRows>
HWY_INLINE void apply_rows(const Affine& a, int64_t r) {
  const int64_t sx = a.x.row_stride, sr = a.residual.row_stride, sy = a.y.row_stride;
  const T* x = a.x.as<T>() + r * sx;
  const T* residual = kResidual ? a.residual.as<T>() + r * sr : nullptr;
  T* y = a.y.as<T>() + r * sy;
  for_lanes(a.x.spec.shape.c, [&](auto d, int64_t c) HWY_ATTR {
    const auto mean = load(d, a.mean + c), scale = load(d, a.scale + c), shift = load(d, a.shift + c);
    for (int k = 0; k < kRows; ++k) {
      auto v = hn::MulAdd(hn::Sub(load(d, x + k * sx + c), mean), scale, shift);
      if constexpr (kResidual) v = hn::Add(v, load(d, residual + k * sr + c));
      if constexpr (kRelu) v = relu(d, v);
      if constexpr (kStores == Stores::past_caches)
        stream(v, d, y + k * sy + c);
      else
        store(v, d, y + k * sy + c);
    }
  });
}

template <class T, bool kRelu, bool kResidual, Stores kStores>
void apply_block(const Affine& a, int64_t first, int64_t last) {
  int64_t r = first;
  for (; r + 4 <= last; r += 4) apply_rows<T, kRelu, kResidual, kStores, 4>(a, r);
  for (; r < last; ++r) apply_rows<T, kRelu, kResidual, kStores, 1>(a, r);
  if constexpr (kStores == Stores::past_caches) hwy::FlushStream();
}

template <class T, bool kRelu, bool kResidual>
void apply(const Affine& a, int64_t first, int64_t last) {
  if (a.stores == Stores::past_caches)
    apply_block<T, kRelu, kResidual, Stores::past_caches>(a, first, last);
  else
    apply_block<T, kRelu, kResidual, Stores::cached>(a, first, last);
}

void bn_apply(const Affine& a, int64_t first, int64_t last) {
  with_type(a.x.spec.dtype, [&](auto* t) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(t)>;
    const bool relu = a.act == Activation::relu;
    if (a.residual)
      relu ? apply<T, true, true>(a, first, last) : apply<T, false, true>(a, first, last);
    else
      relu ? apply<T, true, false>(a, first, last) : apply<T, false, false>(a, first, last);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(bn_moments);
HWY_EXPORT(bn_apply);

class BnActKernel final : public OwnKernel {
 public:
  BnActKernel(const BnAct& op, const Node& node)
      : OwnKernel("bn_act", node), op_(op), x_(node.inputs[0].shape()) {
    activation_type(node, {0, kResidual});
  }
  [[nodiscard]] size_t workspace() const override {
    const int64_t sums = op_.mode == BnMode::batch ? BlockSums::floats(x_) : 0;
    return static_cast<size_t>(kVectors * x_.c + sums) * sizeof(float);
  }
  [[nodiscard]] bool strided(int operand) const override {
    return operand == 0 || operand == kResidual || operand == inputs();
  }
  [[nodiscard]] bool in_place(int output, int input) const override {
    if (output == 0) return input == 0 || input == kResidual;
    return (output == 3 && input == 3) || (output == 4 && input == 4);
  }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    const Ref x = in(operands, 0);
    auto* scale = reinterpret_cast<float*>(scratch.data);
    float *shift = scale + x_.c, *mean = shift + x_.c, *m2 = mean + x_.c, *inv_std = m2 + x_.c;
    if (op_.mode == BnMode::batch) {
      const BlockSums sums(x_, scale + kVectors * x_.c);
      const Blocks& blocks = sums.blocks();
      parallel_for(blocks.count(), [&](int64_t b) {
        HWY_DYNAMIC_DISPATCH(bn_moments)(x, blocks.begin(b), blocks.end(b), sums[b]);
      });
      sums.combine_moments({mean, m2});
    }
    statistics(operands, mean, m2, inv_std);
    const auto *gamma = in(operands, 1).as<float>(), *beta = in(operands, 2).as<float>();
    for (int64_t c = 0; c < x_.c; ++c) {
      scale[c] = gamma != nullptr ? inv_std[c] * gamma[c] : inv_std[c];
      shift[c] = beta[c];
    }
    const Ref residual = in(operands, kResidual), y = out(operands, 0);
    const Affine affine{x, residual, y, mean, scale, shift, op_.act, stores(x, residual, y)};
    // Backwards: what the statistics read last is still in the cache.
    const Blocks blocks = row_blocks(x_.rows(), x_.c);
    parallel_for(blocks.count(), [&](int64_t i) {
      const int64_t b = blocks.count() - 1 - i;
      HWY_DYNAMIC_DISPATCH(bn_apply)(affine, blocks.begin(b), blocks.end(b));
    });
  }

 private:
  static constexpr int kResidual = 5;
  static constexpr size_t kLargeOutput = size_t{32} << 20;
  static constexpr int64_t kVectors = 5;  ///< scale, shift, mean, m2 and inv_std in the workspace

  /// An output that no cache will hold until it is read goes past them: lines need not be fetched before they
  /// are overwritten. In place they are there already.
  static Stores stores(const Ref& x, const Ref& residual, const Ref& y) {
    constexpr size_t kLine = 64;
    const size_t row = static_cast<size_t>(y.row_stride) * size_of(y.spec.dtype);
    const bool aligned =
        reinterpret_cast<uintptr_t>(y.data) % kLine == 0 && row % kLine == 0 && y.spec.shape.c % 16 == 0;
    const bool in_place = y.data == x.data || y.data == residual.data;
    return aligned && !in_place && y.spec.bytes() >= kLargeOutput ? Stores::past_caches : Stores::cached;
  }

  /// Fills mean and inv_std, and the outputs that are made of them.
  void statistics(std::span<const Ref> operands, float* mean, const float* m2, float* inv_std) const {
    const auto *old_mean = in(operands, 3).as<float>(), *old_var = in(operands, 4).as<float>();
    auto *new_mean = out(operands, 3).as<float>(), *new_var = out(operands, 4).as<float>();
    const auto n = static_cast<double>(x_.rows());
    for (int64_t c = 0; c < x_.c; ++c) {
      if (op_.mode == BnMode::running) {
        mean[c] = old_mean[c];
        inv_std[c] = static_cast<float>(1.0 / std::sqrt(static_cast<double>(old_var[c]) + op_.eps));
        continue;
      }
      inv_std[c] = static_cast<float>(1.0 / std::sqrt(m2[c] / n + op_.eps));
      const float kept = 1 - op_.momentum;
      if (new_mean != nullptr) new_mean[c] = kept * old_mean[c] + op_.momentum * mean[c];
      if (new_var != nullptr)
        new_var[c] = kept * old_var[c] + op_.momentum * static_cast<float>(m2[c] / (n - 1));
    }
    if (const Ref m = out(operands, 1)) std::copy(mean, mean + x_.c, m.as<float>());
    if (const Ref s = out(operands, 2)) std::copy(inv_std, inv_std + x_.c, s.as<float>());
  }

  BnAct op_;
  Shape x_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const BnAct& op, const Node& node, const Context&) {
  return std::make_unique<BnActKernel>(op, node);
}

}  // namespace xf::cpu
#endif
