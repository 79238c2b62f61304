#include "engine/train/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "engine/core/rng.h"
#include "engine/train/calibration.h"

namespace xf {

namespace {

/// What the figures need of a prediction.
struct Outcome {
  size_t label, predicted;
  double confidence;
};

double macro_f1(const std::vector<Outcome>& outcomes, const std::vector<size_t>& drawn, size_t classes) {
  std::vector<int64_t> right(classes), shown(classes), predicted(classes);
  for (const size_t i : drawn) {
    const Outcome& o = outcomes[i];
    ++shown[o.label];
    ++predicted[o.predicted];
    if (o.label == o.predicted) ++right[o.label];
  }
  double sum = 0, present = 0;
  for (size_t c = 0; c < classes; ++c)
    if (shown[c] > 0) {
      sum += 2 * static_cast<double>(right[c]) / static_cast<double>(shown[c] + predicted[c]);
      ++present;
    }
  return sum / present;
}

/// `bins`: empty ones.
double ece(const std::vector<Outcome>& outcomes, const std::vector<size_t>& drawn,
           std::vector<ReliabilityBin> bins) {
  const auto count = static_cast<double>(bins.size());
  for (const size_t i : drawn) {
    const Outcome& o = outcomes[i];
    ReliabilityBin& bin = bins[static_cast<size_t>(std::clamp(o.confidence * count, 0.0, count - 1))];
    ++bin.images;
    bin.confidence += o.confidence;
    bin.accuracy += o.label == o.predicted ? 1 : 0;
  }
  double error = 0;
  for (const ReliabilityBin& bin : bins) error += std::abs(bin.accuracy - bin.confidence);
  return error / static_cast<double>(drawn.size());
}

/// The middle 95 % of the values.
Interval middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(std::lround(share * static_cast<double>(values.size() - 1)))];
  };
  return {at(0.025), at(0.975)};
}

/// The 97.5 % quantile of Student's t distribution with `freedom` degrees of freedom. Beyond the table by the
/// first terms of the expansion around the normal's (Abramowitz and Stegun 26.7.5).
double student(size_t freedom) {
  constexpr std::array kTable{12.7062, 4.3027, 3.1824, 2.7764, 2.5706,
                              2.4469,  2.3646, 2.3060, 2.2622, 2.2281};
  if (freedom <= kTable.size()) return kTable[freedom - 1];
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(freedom);
  return z + (std::pow(z, 3) + z) / (4 * n) +
         (5 * std::pow(z, 5) + 16 * std::pow(z, 3) + 3 * z) / (96 * n * n);
}

}  // namespace

BootstrapIntervals bootstrap(const std::vector<Prediction>& predictions, size_t classes, int resamples,
                             uint64_t seed) {
  if (predictions.empty()) return {};
  std::vector<Outcome> outcomes;
  outcomes.reserve(predictions.size());
  for (const Prediction& p : predictions) {
    const auto best = static_cast<size_t>(ranking(p.probabilities).front());
    outcomes.push_back({static_cast<size_t>(p.label), best, p.probabilities[best]});
  }
  const std::vector<ReliabilityBin> bins = reliability({});
  std::vector<double> f1, errors;
  std::vector<size_t> drawn(predictions.size());
  Rng rng(seed);
  for (int r = 0; r < resamples; ++r) {
    for (size_t& d : drawn) d = rng.below(predictions.size());
    f1.push_back(macro_f1(outcomes, drawn, classes));
    errors.push_back(ece(outcomes, drawn, bins));
  }
  return {middle(std::move(f1)), middle(std::move(errors))};
}

MeanOfRuns mean_of_runs(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() == 1) return {mean, mean, mean, 0};
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  const double deviation = std::sqrt(squares / (n - 1));
  const double half = student(values.size() - 1) * deviation / std::sqrt(n);
  return {mean, mean - half, mean + half, deviation};
}

}  // namespace xf
