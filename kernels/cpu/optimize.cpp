// What a step does to the parameters: one pass over all gradients for their norm, one over everything.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/lower.h"
#include "kernels/cpu/own_kernel.h"
#include "kernels/cpu/simd.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimize.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

#ifndef XF_KERNELS_CPU_OPTIMIZE_ONCE
#define XF_KERNELS_CPU_OPTIMIZE_ONCE
namespace xf::cpu {
namespace {
/// The numbers of one tensor's update.
struct Rule {
  float rate, decay;
  float gradient_scale;                    ///< clipping / loss scale
  float correction1 = 1, correction2 = 1;  ///< 1 / (1 - beta^t)
};
/// A run of elements: read from `p`, `m1`, `m2`, `average`, written to the `new_` ones, which may be the
/// same. Pointers of moments, averages and gradients that the tensor lacks are null, as is an unused `new_p`.
struct Elements {
  const float *p, *g, *m1, *m2, *average;
  float *new_p, *new_m1, *new_m2, *new_average;
  int64_t count;
};
}  // namespace
}  // namespace xf::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace xf::cpu {
namespace HWY_NAMESPACE {
namespace {

/// In f64: squares of f32 neither overflow nor vanish there, so the sum is finite exactly when all of g is.
double sum_of_squares(const float* g, int64_t count) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto a = hn::PromoteTo(d, hn::LoadU(half, g + i)),
               b = hn::PromoteTo(d, hn::LoadU(half, g + i + lanes));
    s0 = hn::MulAdd(a, a, s0);
    s1 = hn::MulAdd(b, b, s1);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
  for (; i < count; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  return sum;
}

/// Moves the average of the values v.
template <class D>
HWY_INLINE void average(D d, hn::Vec<D> v, const Elements& e, float ema, int64_t i) {
  const auto kept = hn::Mul(load(d, e.average + i), hn::Set(d, ema));
  store(hn::MulAdd(v, hn::Set(d, 1 - ema), kept), d, e.new_average + i);
}

/// The parameters' new values are in v: stores them, and moves their average.
template <class D>
HWY_INLINE void finish(D d, hn::Vec<D> v, const Elements& e, float ema, int64_t i) {
  store(v, d, e.new_p + i);
  if (e.new_average != nullptr) average(d, v, e, ema, i);
}

template <class D>
HWY_INLINE hn::Vec<D> mix(D d, float beta, hn::Vec<D> old, hn::Vec<D> now) {
  return hn::MulAdd(hn::Set(d, 1 - beta), now, hn::Mul(hn::Set(d, beta), old));
}

void sgd(const Optimize& o, const Rule& r, const Elements& e) {
  for_lanes(e.count, [&](auto d, int64_t i) HWY_ATTR {
    const auto p = load(d, e.p + i);
    const auto g =
        hn::MulAdd(hn::Set(d, r.decay), p, hn::Mul(load(d, e.g + i), hn::Set(d, r.gradient_scale)));
    auto move = g;
    if (e.m1 != nullptr) {
      const auto m = hn::MulAdd(hn::Set(d, o.momentum), load(d, e.m1 + i), g);
      store(m, d, e.new_m1 + i);
      move = o.nesterov ? hn::MulAdd(hn::Set(d, o.momentum), m, g) : m;
    }
    finish(d, hn::NegMulAdd(hn::Set(d, r.rate), move, p), e, o.ema_decay, i);
  });
}

void adam(const Optimize& o, const Rule& r, const Elements& e) {
  const bool decoupled = o.kind == OptimizerKind::adamw;
  const float added = decoupled ? 0 : r.decay, kept = decoupled ? 1 - r.rate * r.decay : 1;
  for_lanes(e.count, [&](auto d, int64_t i) HWY_ATTR {
    const auto p = load(d, e.p + i);
    const auto g = hn::MulAdd(hn::Set(d, added), p, hn::Mul(load(d, e.g + i), hn::Set(d, r.gradient_scale)));
    const auto m = mix(d, o.beta1, load(d, e.m1 + i), g),
               v = mix(d, o.beta2, load(d, e.m2 + i), hn::Mul(g, g));
    store(m, d, e.new_m1 + i);
    store(v, d, e.new_m2 + i);
    const auto root = hn::Sqrt(hn::Mul(v, hn::Set(d, r.correction2)));
    const auto move = hn::Div(hn::Mul(m, hn::Set(d, r.correction1)), hn::Add(root, hn::Set(d, o.eps)));
    finish(d, hn::NegMulAdd(hn::Set(d, r.rate), move, hn::Mul(p, hn::Set(d, kept))), e, o.ema_decay, i);
  });
}

void adadelta(const Optimize& o, const Rule& r, const Elements& e) {
  for_lanes(e.count, [&](auto d, int64_t i) HWY_ATTR {
    const auto p = load(d, e.p + i), eps = hn::Set(d, o.eps);
    const auto g =
        hn::MulAdd(hn::Set(d, r.decay), p, hn::Mul(load(d, e.g + i), hn::Set(d, r.gradient_scale)));
    const auto squares = mix(d, o.rho, load(d, e.m1 + i), hn::Mul(g, g)), moves = load(d, e.m2 + i);
    const auto move = hn::Mul(g, hn::Sqrt(hn::Div(hn::Add(moves, eps), hn::Add(squares, eps))));
    store(squares, d, e.new_m1 + i);
    store(mix(d, o.rho, moves, hn::Mul(move, move)), d, e.new_m2 + i);
    finish(d, hn::NegMulAdd(hn::Set(d, r.rate), move, p), e, o.ema_decay, i);
  });
}

/// A tensor without gradient.
void join_average(const Optimize& o, const Elements& e) {
  if (e.new_p != nullptr && e.new_p != e.p) std::copy(e.p, e.p + e.count, e.new_p);
  if (e.new_average == nullptr) return;
  for_lanes(e.count, [&](auto d, int64_t i) HWY_ATTR { average(d, load(d, e.p + i), e, o.ema_decay, i); });
}

void update_elements(const Optimize& o, const Rule& r, const Elements& e) {
  if (e.g == nullptr) return join_average(o, e);
  switch (o.kind) {
    case OptimizerKind::sgd: return sgd(o, r, e);
    case OptimizerKind::adam:
    case OptimizerKind::adamw: return adam(o, r, e);
    case OptimizerKind::adadelta: return adadelta(o, r, e);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace xf::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace xf::cpu {
namespace {

HWY_EXPORT(sum_of_squares);
HWY_EXPORT(update_elements);

constexpr int kInputs = 5, kOutputs = 4;  // a tensor's operands

class OptimizeKernel final : public OwnKernel {
 public:
  OptimizeKernel(const Optimize& op, const Node& node) : OwnKernel("optimize", node), op_(op) {
    for (size_t t = 0; t < op.tensors.size(); ++t) {
      const Blocks blocks{node.inputs[1 + kInputs * t].shape().count(), int64_t{1} << 14};
      for (int64_t b = 0; b < blocks.count(); ++b)
        work_.push_back({static_cast<int>(t), blocks.begin(b), blocks.end(b) - blocks.begin(b)});
    }
  }
  [[nodiscard]] size_t workspace() const override { return work_.size() * sizeof(double); }
  [[nodiscard]] bool in_place(int output, int input) const override {
    if (output < 2 || input < 1 || (output - 2) / kOutputs != (input - 1) / kInputs) return false;
    if (output == loss_scale_output()) return input == loss_scale_input();
    const int from = (input - 1) % kInputs,
              to = (output - 2) % kOutputs;  // from: parameter, gradient, moment1 …
    return from != 1 && to == (from == 0 ? 0 : from - 1);
  }

  void run(Stream&, std::span<const Ref> operands, Scratch scratch) override {
    const auto& step = *in(operands, 0).as<const StepParams>();
    auto* squares = reinterpret_cast<double*>(scratch.data);
    const auto count = static_cast<int64_t>(work_.size());
    parallel_for(count, [&](int64_t i) {
      const Part& part = work_[static_cast<size_t>(i)];
      const Ref g = in(operands, 1 + kInputs * part.tensor + 1);
      squares[i] = g ? HWY_DYNAMIC_DISPATCH(sum_of_squares)(g.as<float>() + part.begin, part.count) : 0;
    });
    double total = 0;
    for (int64_t i = 0; i < count; ++i) total += squares[i];
    const Ref scaling = in(operands, loss_scale_input());
    const float loss_scale = scaling ? scaling.as<float>()[0] : 1;
    const double norm = std::sqrt(total) / loss_scale;
    const bool finite = std::isfinite(norm);
    if (const Ref out_norm = out(operands, 0)) *out_norm.as<float>() = static_cast<float>(norm);
    if (const Ref out_finite = out(operands, 1)) *out_finite.as<float>() = finite ? 1.0F : 0.0F;
    const double clip = op_.clip_norm > 0 && norm > op_.clip_norm ? op_.clip_norm / norm : 1;
    const Rule common = rule(step, static_cast<float>(clip / loss_scale));
    parallel_for(count, [&](int64_t i) {
      const Part& part = work_[static_cast<size_t>(i)];
      const Elements e = elements(operands, part);
      const TensorRule& own = op_.tensors[static_cast<size_t>(part.tensor)];
      Rule r = common;
      r.rate = step.learning_rate[static_cast<size_t>(own.group)];
      r.decay = own.decay;
      finite ? HWY_DYNAMIC_DISPATCH(update_elements)(op_, r, e) : keep(e);
    });
    if (const Ref moved = out(operands, loss_scale_output()); moved && scaling)
      move_loss_scale(scaling.as<float>(), finite, moved.as<float>());
  }

 private:
  struct Part {
    int tensor;
    int64_t begin, count;
  };

  [[nodiscard]] int loss_scale_input() const { return 1 + kInputs * static_cast<int>(op_.tensors.size()); }
  [[nodiscard]] int loss_scale_output() const { return 2 + kOutputs * static_cast<int>(op_.tensors.size()); }

  /// `from` and `to`: scale and finite updates; they may be the same.
  static void move_loss_scale(const float* from, bool finite, float* to) {
    const float scale = from[0], updates = finite ? from[1] + 1 : 0;
    const bool grows = updates >= LossScaling::kInterval;
    to[0] = !finite ? scale * LossScaling::kBackoff : grows ? scale * LossScaling::kGrowth : scale;
    to[1] = grows ? 0 : updates;
  }

  [[nodiscard]] Rule rule(const StepParams& step, float gradient_scale) const {
    Rule r{0, 0, gradient_scale};
    if (op_.kind == OptimizerKind::adam || op_.kind == OptimizerKind::adamw) {
      r.correction1 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(op_.beta1), step.update)));
      r.correction2 = static_cast<float>(1 / (1 - std::pow(static_cast<double>(op_.beta2), step.update)));
    }
    return r;
  }

  [[nodiscard]] Elements elements(std::span<const Ref> operands, const Part& part) const {
    const auto from = [&](int i) -> float* {
      const Ref r = in(operands, 1 + kInputs * part.tensor + i);
      return r ? r.as<float>() + part.begin : nullptr;
    };
    const auto to = [&](int i) -> float* {
      const Ref r = out(operands, 2 + kOutputs * part.tensor + i);
      return r ? r.as<float>() + part.begin : nullptr;
    };
    return {from(0), from(1), from(2), from(3), from(4), to(0), to(1), to(2), to(3), part.count};
  }

  /// Nothing changes: only where the outputs lie elsewhere is there anything to do.
  static void keep(const Elements& e) {
    const auto copy = [&](const float* from, float* to) {
      if (from != nullptr && to != nullptr && from != to) std::copy(from, from + e.count, to);
    };
    copy(e.p, e.new_p);
    copy(e.m1, e.new_m1);
    copy(e.m2, e.new_m2);
    copy(e.average, e.new_average);
  }

  Optimize op_;
  std::vector<Part> work_;
};

class LossSeedKernel final : public OwnKernel {
 public:
  LossSeedKernel(const LossSeed& op, const Node& node) : OwnKernel("loss_seed", node), share_(op.share) {}
  void run(Stream&, std::span<const Ref> operands, Scratch) override {
    *out(operands, 0).as<float>() = in(operands, 0).as<float>()[0] * share_;
  }

 private:
  float share_;
};

}  // namespace

std::unique_ptr<Kernel> lower(const Optimize& op, const Node& node, const Context&) {
  return std::make_unique<OptimizeKernel>(op, node);
}

std::unique_ptr<Kernel> lower(const LossSeed& op, const Node& node, const Context&) {
  return std::make_unique<LossSeedKernel>(op, node);
}

}  // namespace xf::cpu
#endif
