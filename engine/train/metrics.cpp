#include "engine/train/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/error.h"

namespace xf {

double cross_entropy(const std::vector<float>& probabilities, int32_t label) {
  constexpr double kSmallest = 1e-30;
  return -std::log(std::max<double>(probabilities[static_cast<size_t>(label)], kSmallest));
}

std::vector<int32_t> ranking(const std::vector<float>& probabilities) {
  std::vector<int32_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return probabilities[static_cast<size_t>(a)] > probabilities[static_cast<size_t>(b)];
  });
  return order;
}

Fraction wilson(int64_t hits, int64_t trials) {
  if (trials == 0) return {0, 0, 1};
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(hits) / n;
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void fill_classes(Evaluation& e) {
  const size_t k = e.classes.size();
  int64_t present = 0;
  double sum = 0;
  for (size_t c = 0; c < k; ++c) {
    ClassMetrics& m = e.classes[c];
    const int64_t right = e.confusion[c][c];
    int64_t predicted = 0;
    for (size_t other = 0; other < k; ++other) predicted += e.confusion[other][c];
    m.support = std::accumulate(e.confusion[c].begin(), e.confusion[c].end(), int64_t{0});
    m.precision = ratio(right, predicted);
    m.recall = ratio(right, m.support);
    m.f1 = ratio(2 * right, predicted + m.support);
    if (m.support > 0) {
      sum += m.f1;
      ++present;
    }
  }
  e.macro_f1 = present == 0 ? 0 : sum / static_cast<double>(present);
}

/// |accuracy - confidence| of each confidence bin, weighted by its share of the images.
double calibration_error(const std::vector<Prediction>& predictions) {
  constexpr int kBins = 15;
  std::array<double, kBins> confidence{}, hits{};
  for (const Prediction& p : predictions) {
    const int32_t best = ranking(p.probabilities).front();
    const double c = p.probabilities[static_cast<size_t>(best)];
    const auto bin = static_cast<size_t>(std::clamp(static_cast<int>(c * kBins), 0, kBins - 1));
    confidence[bin] += c;
    hits[bin] += best == p.label ? 1 : 0;
  }
  double error = 0;
  for (size_t b = 0; b < kBins; ++b) error += std::abs(hits[b] - confidence[b]);
  return predictions.empty() ? 0 : error / static_cast<double>(predictions.size());
}

}  // namespace

Evaluation evaluate(const std::vector<Prediction>& predictions, const std::vector<std::string>& classes) {
  Evaluation e;
  e.images = static_cast<int64_t>(predictions.size());
  e.confusion.assign(classes.size(), std::vector<int64_t>(classes.size(), 0));
  for (const std::string& label : classes) e.classes.push_back({label, 0, 0, 0, 0});
  std::array<int64_t, 5> hits{};
  for (const Prediction& p : predictions) {
    if (p.probabilities.size() != classes.size())
      throw InternalError("evaluation", "a prediction has another number of classes than the data");
    const std::vector<int32_t> order = ranking(p.probabilities);
    ++e.confusion[static_cast<size_t>(p.label)][static_cast<size_t>(order[0])];
    const auto rank = static_cast<size_t>(std::find(order.begin(), order.end(), p.label) - order.begin());
    for (size_t k = rank; k < hits.size(); ++k) ++hits[k];
    e.loss += p.loss;
  }
  for (size_t k = 0; k < hits.size(); ++k) e.top[k] = ratio(hits[k], e.images);
  e.loss = predictions.empty() ? 0 : e.loss / static_cast<double>(e.images);
  e.top1 = wilson(hits[0], e.images);
  e.ece = calibration_error(predictions);
  fill_classes(e);
  return e;
}

}  // namespace xf
