// Softmax, cross-entropy and its gradient.

#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

/// Units of error of a good f32 exp or log: polynomial approximations stay within four.
constexpr double kFunction = 4;

struct Row {
  std::vector<Bounded> probability, log_probability;
};

/// exp(x - max) turns an error of x - max into a relative one; the sum then weighs those by probability.
Row softmax_row(const Array& logits, int64_t n) {
  const int64_t k = logits.shape.c;
  double top = -std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c < k; ++c) top = std::max(top, logits[n * k + c]);
  double total = 0, total_error = 0;
  for (int64_t c = 0; c < k; ++c) {
    const double d = logits[n * k + c] - top, e = std::exp(d);
    total += e;
    total_error += e * (std::abs(d) + kFunction) * kUnit;
  }
  const double total_relative = total_error / total + chain(static_cast<double>(k));
  Row row;
  for (int64_t c = 0; c < k; ++c) {
    const double d = logits[n * k + c] - top, p = std::exp(d) / total;
    const double relative = (std::abs(d) + kFunction + 2) * kUnit + total_relative;
    // Below the smallest normal number an f32 may be flushed to zero.
    row.probability.emplace_back(p, p * relative + std::numeric_limits<float>::min());
    const double logarithm = std::log(total);
    row.log_probability.emplace_back(d - logarithm,
                                     (2 * std::abs(d) + kFunction * logarithm + 2) * kUnit + total_relative);
  }
  return row;
}

double target(double smoothing, int64_t k, bool is_label) {
  return (is_label ? 1 - smoothing : 0) + smoothing / static_cast<double>(k);
}

double weight(const Array& image_weights, const Array& class_weights, const Array& labels, int64_t n) {
  return image_weights[n] * (class_weights ? class_weights[static_cast<int64_t>(labels[n])] : 1);
}

}  // namespace

std::vector<Array> reference(const Softmax& /*op*/, std::span<const Array> in) {
  const Array& logits = in[0];
  Array p = Array::inexact(logits.shape);
  for (int64_t n = 0; n < logits.shape.n; ++n) {
    const Row row = softmax_row(logits, n);
    for (int64_t c = 0; c < logits.shape.c; ++c)
      set(p, p.at(n, 0, 0, c), row.probability[static_cast<size_t>(c)]);
  }
  return {p};
}

std::vector<Array> reference(const SoftmaxXent& op, std::span<const Array> in) {
  const Array &logits = in[0], &labels = in[1], &image_weights = in[2], &class_weights = operand(in, 3);
  const int64_t images = logits.shape.n, k = logits.shape.c;
  Array loss = Array::inexact({1, 1, 1, 1}), p = reference(Softmax{}, in.first(1))[0],
        hits = Array::inexact({1, 1, 1, 5}), losses = Array::inexact({images, 1, 1, 1});
  Sum weighted, weights;
  double carried = 0;
  std::vector<Sum> hit(5);
  for (int64_t n = 0; n < images; ++n) {
    const Row row = softmax_row(logits, n);
    const auto label = static_cast<int64_t>(labels[n]);
    Sum sum;
    double error = 0;
    int64_t likelier = 0;
    for (int64_t c = 0; c < k; ++c) {
      const double t = target(op.label_smoothing, k, c == label);
      const Bounded& l = row.log_probability[static_cast<size_t>(c)];
      sum.add(-t * l.value);
      error += t * l.error;
      const double mine = logits[n * k + label], other = logits[n * k + c];
      if (other > mine || (other == mine && c < label)) ++likelier;
    }
    error += sum.error(3);
    set(losses, static_cast<size_t>(n), {sum.value, error});
    const double w = weight(image_weights, class_weights, labels, n);
    weighted.add(w * sum.value);
    carried += w * error;
    weights.add(w);
    for (int64_t j = likelier; j < 5; ++j) hit[static_cast<size_t>(j)].add(image_weights[n]);
  }
  if (weights.value > 0)
    set(loss, 0,
        {weighted.value / weights.value,
         (carried + weighted.error(2)) / weights.value +
             chain(weights.terms + 1) * std::abs(weighted.value) / weights.value});
  for (size_t j = 0; j < 5; ++j) set(hits, j, {hit[j].value, hit[j].error(0)});
  return {loss, p, hits, losses};
}

std::vector<Array> reference(const SoftmaxXentBwd& op, std::span<const Array> in) {
  const Array &dloss = in[0], &p = in[1], &labels = in[2], &image_weights = in[3],
              &class_weights = operand(in, 4);
  const int64_t images = p.shape.n, k = p.shape.c;
  Array dlogits = Array::inexact(p.shape);
  Sum weights;
  for (int64_t n = 0; n < images; ++n) weights.add(weight(image_weights, class_weights, labels, n));
  if (weights.value == 0) return {dlogits};
  for (int64_t n = 0; n < images; ++n)
    for (int64_t c = 0; c < k; ++c) {
      const double t = target(op.label_smoothing, k, c == static_cast<int64_t>(labels[n]));
      const double factor = dloss[0] * weight(image_weights, class_weights, labels, n) / weights.value;
      set(dlogits, dlogits.at(n, 0, 0, c),
          {factor * (p(n, 0, 0, c) - t),
           std::abs(factor) * (p(n, 0, 0, c) + t) * (chain(weights.terms + 1) + chain(6))});
    }
  return {dlogits};
}

}  // namespace xf::test
