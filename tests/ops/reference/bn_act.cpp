// Batch normalisation with activation and residual, its gradient, and its folding into a convolution.

#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

struct Moments {
  Bounded mean, var;
};

/// Mean and biased variance of channel `c`. However it is computed stably (two passes, Welford, merged
/// blocks as in Chan et al. 1983), the variance carries its own rounding, the mean's error through terms
/// 2 (x - mean) δ, and δ². The textbook E[x²] - mean² is not within this bound where |mean| >> deviation.
Moments moments_of(const Array& x, int64_t c) {
  Sum sum;
  for (int64_t r = 0; r < x.shape.rows(); ++r) sum.add(x[r * x.shape.c + c]);
  const double rows = sum.terms, mean = sum.value / rows, mean_error = sum.error(2) / rows;
  double squares = 0;
  for (int64_t r = 0; r < x.shape.rows(); ++r) squares += std::pow(x[r * x.shape.c + c] - mean, 2);
  const double var = squares / rows;
  return {{mean, mean_error},
          {var, chain(rows + 4) * var + 2 * std::sqrt(var) * mean_error + mean_error * mean_error}};
}

/// 1 / sqrt(var + eps); an approximate root refined by one Newton step is good to 2 units more.
Bounded inverse_deviation(Bounded var, double eps) {
  Bounded r = Bounded(1) / root(var + Bounded(eps));
  r.error += 2 * kUnit * r.value;
  return r;
}

/// The gradient before the activation of one element; `doubt` is dy where rounding decides the sign there.
struct Masked {
  double value = 0, doubt = 0;
};

}  // namespace

std::vector<Array> reference(const BnAct& op, std::span<const Array> in) {
  const Array &x = in[0], &gamma = in[1], &beta = in[2], &running_mean = in[3], &running_var = in[4],
              &residual = operand(in, 5);
  const int64_t channels = x.shape.c;
  const double rows = static_cast<double>(x.shape.rows());
  Array y = Array::inexact(x.shape), mean = Array::inexact(vector_shape(channels)), inv_std = mean,
        new_mean = mean, new_var = mean;
  for (int64_t c = 0; c < channels; ++c) {
    Moments m{running_mean[c], running_var[c]};
    if (op.mode == BnMode::batch) {
      m = moments_of(x, c);
      const Bounded momentum(op.momentum), keep = Bounded(1) - momentum;
      const double unbiased = rows > 1 ? rows / (rows - 1) : 1;  // one position has no variance
      const auto k = static_cast<size_t>(c);
      set(new_mean, k, keep * Bounded(running_mean[c]) + momentum * m.mean);
      set(new_var, k,
          keep * Bounded(running_var[c]) + momentum * (m.var * Bounded(unbiased, kUnit * unbiased)));
    }
    const Bounded inv = inverse_deviation(m.var, op.eps);
    set(mean, static_cast<size_t>(c), m.mean);
    set(inv_std, static_cast<size_t>(c), inv);
    const double g = gamma ? gamma[c] : 1, scale = std::abs(g * inv.value);
    for (int64_t r = 0; r < x.shape.rows(); ++r) {
      const auto i = static_cast<size_t>(r * channels + c);
      const double centred = x.value[i] - m.mean.value, add = residual ? residual.value[i] : 0;
      const double v = centred * inv.value * g + beta[c] + add;
      // As written or as x * scale + shift: six roundings of terms no larger than these.
      const double terms =
          (std::abs(x.value[i]) + std::abs(m.mean.value)) * scale + std::abs(beta[c]) + std::abs(add);
      const double error = scale * m.mean.error + std::abs(centred * g) * inv.error + chain(6) * terms;
      set(y, i, activated({v, error}, op.act));
    }
  }
  if (op.mode == BnMode::running) new_mean = new_var = Array{};
  return {y, mean, inv_std, new_mean, new_var};
}

std::vector<Array> reference(const BnActBwd& op, std::span<const Array> in) {
  const Array &dy = in[0], &x = in[1], &y = in[2], &gamma = in[3], &mean = in[4], &inv_std = in[5],
              &beta = operand(in, 6);
  const int64_t channels = x.shape.c;
  const double rows = static_cast<double>(x.shape.rows());
  Array dx = Array::inexact(x.shape), dresidual = dx, dgamma = Array::inexact(vector_shape(channels)),
        dbeta = dgamma;
  for (int64_t c = 0; c < channels; ++c) {
    const double inv = inv_std[c], g = gamma ? gamma[c] : 1;
    const auto normalised = [&](size_t i) { return (x.value[i] - mean[c]) * inv; };
    const auto normalised_error = [&](size_t i) {
      return chain(3) * (std::abs(x.value[i]) + std::abs(mean[c])) * std::abs(inv);
    };
    const auto masked = [&](size_t i) -> Masked {
      const double d = dy.value[i];
      if (op.bn.act == Activation::none) return {d, 0};
      if (y) return {y.value[i] > 0 ? d : 0, 0};
      const double before = normalised(i) * g + beta[c];
      const double error =
          std::abs(g) * normalised_error(i) + chain(3) * (std::abs(before) + std::abs(beta[c]));
      return {before > 0 ? d : 0, std::abs(before) <= error ? std::abs(d) : 0};
    };
    Sum beta_sum, gamma_sum;
    double beta_carried = 0, gamma_carried = 0;  // what errors of the mask and the normalised x bring in
    for (int64_t r = 0; r < x.shape.rows(); ++r) {
      const auto i = static_cast<size_t>(r * channels + c);
      const Masked dz = masked(i);
      set(dresidual, i, {dz.value, dz.doubt});
      beta_sum.add(dz.value);
      gamma_sum.add(dz.value * normalised(i));
      beta_carried += dz.doubt;
      gamma_carried += std::abs(dz.value) * normalised_error(i) + dz.doubt * std::abs(normalised(i));
    }
    const Bounded db(beta_sum.value, beta_sum.error() + beta_carried),
        dg(gamma_sum.value, gamma_sum.error(3) + gamma_carried);
    set(dbeta, static_cast<size_t>(c), db);
    set(dgamma, static_cast<size_t>(c), dg);
    for (int64_t r = 0; r < x.shape.rows(); ++r) {
      const auto i = static_cast<size_t>(r * channels + c);
      const double dz = dresidual.value[i], xhat = normalised(i);
      double value = dz, error = dresidual.error[i] + chain(3) * std::abs(dz);
      if (op.bn.mode == BnMode::batch) {
        value -= (db.value + xhat * dg.value) / rows;
        error +=
            (db.error + std::abs(xhat) * dg.error + 2 * normalised_error(i) * std::abs(dg.value)) / rows +
            chain(6) * (std::abs(dz) + (std::abs(db.value) + std::abs(xhat * dg.value)) / rows);
      }
      set(dx, i, {g * inv * value, std::abs(g * inv) * error});
    }
  }
  return {dx, dgamma, dbeta, dresidual};
}

std::vector<Array> reference(const FoldBn& op, std::span<const Array> in) {
  const Array &w = in[0], &gamma = in[1], &beta = in[2], &mean = in[3], &var = in[4], &bias = operand(in, 5);
  const int64_t each = w.count() / w.shape.n;
  Array folded = Array::inexact(w.shape), shift = Array::inexact(vector_shape(w.shape.n));
  for (int64_t o = 0; o < w.shape.n; ++o) {
    const Bounded scale = Bounded(gamma ? gamma[o] : 1) * inverse_deviation(var[o], op.eps);
    for (int64_t i = o * each; i < (o + 1) * each; ++i)
      set(folded, static_cast<size_t>(i), Bounded(w[i]) * scale);
    const double b = bias ? bias[o] : 0;
    Bounded s = (Bounded(b) - Bounded(mean[o])) * scale + Bounded(beta[o]);
    // Or bias * scale + (beta - mean * scale).
    s.error += chain(3) * ((std::abs(b) + std::abs(mean[o])) * std::abs(scale.value) + std::abs(beta[o]));
    set(shift, static_cast<size_t>(o), s);
  }
  return {folded, shift};
}

}  // namespace xf::test
