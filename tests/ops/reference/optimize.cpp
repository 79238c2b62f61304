// What a step does to the parameters.

#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

constexpr size_t kIn = 5, kOut = 4;  ///< operands and results of one tensor

struct Element {
  Bounded parameter, moment1, moment2;
};

/// The same formula in another order: a few roundings of terms no larger than these.
Bounded reordered(Bounded b, double terms) {
  b.error += chain(4) * terms;
  return b;
}

Bounded blend(Bounded old, double keep, Bounded fresh) {
  const Bounded k(keep);
  return reordered(k * old + (Bounded(1) - k) * fresh, std::abs(keep * old.value) + std::abs(fresh.value));
}

/// 1 - beta^t: the power's error in f32 is absolute, and large beside a small difference.
Bounded correction(double beta, int t) {
  const double power = std::pow(beta, t);
  return Bounded(1) - Bounded(power, chain(t + 4) * power);
}

Element updated(const Optimize& o, const StepParams& step, const TensorRule& rule, Bounded p, Bounded g,
                Bounded m1, Bounded m2) {
  const Bounded lr(step.learning_rate[static_cast<size_t>(rule.group)]);
  const Bounded decay(rule.decay);
  if (o.kind != OptimizerKind::adamw && rule.decay != 0) g = g + decay * p;
  Bounded change;
  switch (o.kind) {
    case OptimizerKind::sgd:
      if (o.momentum == 0) {
        change = g;
      } else {
        m1 = Bounded(o.momentum) * m1 + g;
        change = o.nesterov ? g + Bounded(o.momentum) * m1 : m1;
      }
      break;
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      m1 = blend(m1, o.beta1, g);
      m2 = blend(m2, o.beta2, g * g);
      change = m1 / correction(o.beta1, step.update) /
               (root(m2 / correction(o.beta2, step.update)) + Bounded(o.eps));
      if (o.kind == OptimizerKind::adamw) change = change + decay * p;
      break;
    case OptimizerKind::adadelta:
      m1 = blend(m1, o.rho, g * g);
      change = root(m2 + Bounded(o.eps)) / root(m1 + Bounded(o.eps)) * g;
      m2 = blend(m2, o.rho, change * change);
      break;
  }
  const Bounded moved = lr * change;
  return {reordered(p - moved, std::abs(p.value) + std::abs(moved.value)), m1, m2};
}

/// Powers of two and small counts: exact.
Array moved_scale(const Array& loss_scale, bool finite) {
  Array moved({1, 1, 1, 2});
  const double scale = loss_scale.value[0], updates = finite ? loss_scale.value[1] + 1 : 0;
  const bool grows = updates >= 2000;
  moved.value[0] = !finite ? scale / 2 : grows ? 2 * scale : scale;
  moved.value[1] = grows ? 0 : updates;
  return moved;
}

}  // namespace

/// The mean of one rank's numbers.
std::vector<Array> reference(const AllReduce& /*op*/, std::span<const Array> in) {
  return {in.begin(), in.end()};
}
std::vector<Array> reference(const AllReduceWait& /*op*/, std::span<const Array> in) {
  return {in.begin(), in.end()};
}

std::vector<Array> reference(const Accumulate& /*op*/, std::span<const Array> in) {
  const bool first = step_params(in[0]).micro_batch == 0;
  std::vector<Array> out;
  for (size_t i = 1; i + 1 < in.size(); i += 2) {
    Array sum = Array::inexact(in[i].shape);
    for (size_t k = 0; k < sum.value.size(); ++k)
      set(sum, k,
          first ? Bounded(in[i + 1].value[k]) : Bounded(in[i].value[k]) + Bounded(in[i + 1].value[k]));
    out.push_back(std::move(sum));
  }
  return out;
}

std::vector<Array> reference(const Optimize& op, std::span<const Array> in) {
  const StepParams step = step_params(in[0]);
  const Array& loss_scale = in[1 + kIn * op.tensors.size()];
  const double inverse_scale = loss_scale ? 1 / loss_scale.value[0] : 1;
  Array norm = Array::inexact({1, 1, 1, 1}), finite({1, 1, 1, 1});
  Sum squares;
  bool all_finite = true;
  for (size_t t = 0; t < op.tensors.size(); ++t)
    for (const double g : in[1 + kIn * t + 1].value) {
      squares.add(std::pow(g * inverse_scale, 2));
      all_finite = all_finite && std::isfinite(g);
    }
  finite.value[0] = all_finite ? 1 : 0;
  const Bounded length = root({squares.value, squares.error(4)});
  set(norm, 0, all_finite ? length : Bounded(0, std::numeric_limits<double>::infinity()));

  Bounded factor(inverse_scale, kUnit * inverse_scale);
  if (op.clip_norm > 0 && length.value > op.clip_norm) factor = factor * (Bounded(op.clip_norm) / length);

  std::vector<Array> out{norm, finite};
  for (size_t t = 0; t < op.tensors.size(); ++t) {
    const std::span<const Array> mine = in.subspan(1 + kIn * t, kIn);
    const Array &p = mine[0], &g = mine[1], &m1 = mine[2], &m2 = mine[3], &average = mine[4];
    if (!all_finite) {
      for (const size_t kept : {0, 2, 3, 4}) out.push_back(mine[kept]);
      continue;
    }
    std::vector<Array> results(kOut);
    results[0] = Array::inexact(p.shape);
    for (const size_t k : {1, 2, 3})
      if (mine[k + 1]) results[k] = Array::inexact(p.shape);
    for (size_t i = 0; i < p.value.size(); ++i) {
      if (!g) {  // not trained
        results[0].value[i] = p.value[i];
        if (average) set(results[3], i, blend(average.value[i], op.ema_decay, p.value[i]));
        continue;
      }
      const Element e = updated(op, step, op.tensors[t], p.value[i], Bounded(g.value[i]) * factor,
                                m1 ? m1.value[i] : 0, m2 ? m2.value[i] : 0);
      set(results[0], i, e.parameter);
      if (m1) set(results[1], i, e.moment1);
      if (m2) set(results[2], i, e.moment2);
      if (average) set(results[3], i, blend(average.value[i], op.ema_decay, e.parameter));
    }
    for (Array& r : results) out.push_back(std::move(r));
  }
  out.push_back(loss_scale ? moved_scale(loss_scale, all_finite) : Array{});
  return out;
}

std::vector<Array> reference(const LossSeed& op, std::span<const Array> in) {
  Array seed({1, 1, 1, 1});
  seed.value[0] = in[0].value[0] * op.share;
  return {seed};
}

}  // namespace xf::test
