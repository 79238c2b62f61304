#include "engine/train/calibration.h"

#include <algorithm>
#include <cmath>

namespace xf {

namespace {

// A probability that underflowed to zero would make a score infinite.
constexpr double kSmallest = 1e-30;

double score(float probability) { return std::log(std::max<double>(probability, kSmallest)); }

/// Softmax of the scores times `inverse`, the inverse temperature. The logarithms of the probabilities are
/// the scores but for a constant that softmax does not see.
std::vector<double> softened(const Prediction& p, double inverse) {
  std::vector<double> out;
  out.reserve(p.probabilities.size());
  for (const float probability : p.probabilities) out.push_back(inverse * score(probability));
  const double most = *std::max_element(out.begin(), out.end());
  double sum = 0;
  for (double& x : out) sum += x = std::exp(x - most);
  for (double& x : out) x /= sum;
  return out;
}

/// The derivative of the labels' mean negative log-likelihood by the inverse temperature: it grows with it.
double slope(const std::vector<Prediction>& predictions, double inverse) {
  double sum = 0;
  for (const Prediction& p : predictions) {
    const std::vector<double> q = softened(p, inverse);
    for (size_t c = 0; c < q.size(); ++c) sum += q[c] * score(p.probabilities[c]);
    sum -= score(p.probabilities[static_cast<size_t>(p.label)]);
  }
  return sum / static_cast<double>(predictions.size());
}

}  // namespace

std::vector<ReliabilityBin> reliability(const std::vector<Prediction>& predictions) {
  constexpr int kBins = 15;
  std::vector<ReliabilityBin> bins;
  bins.reserve(kBins);
  for (int b = 0; b < kBins; ++b)
    bins.push_back({static_cast<double>(b) / kBins, static_cast<double>(b + 1) / kBins, 0, 0, 0});
  for (const Prediction& p : predictions) {
    const int32_t best = ranking(p.probabilities).front();
    const double confidence = p.probabilities[static_cast<size_t>(best)];
    ReliabilityBin& bin =
        bins[static_cast<size_t>(std::clamp(static_cast<int>(confidence * kBins), 0, kBins - 1))];
    ++bin.images;
    bin.confidence += confidence;
    bin.accuracy += best == p.label ? 1 : 0;
  }
  for (ReliabilityBin& bin : bins)
    if (bin.images > 0) {
      bin.confidence /= static_cast<double>(bin.images);
      bin.accuracy /= static_cast<double>(bin.images);
    }
  return bins;
}

double calibration_error(const std::vector<ReliabilityBin>& bins) {
  double error = 0, images = 0;
  for (const ReliabilityBin& bin : bins) {
    error += std::abs(bin.accuracy - bin.confidence) * static_cast<double>(bin.images);
    images += static_cast<double>(bin.images);
  }
  return images == 0 ? 0 : error / images;
}

std::optional<double> fit_temperature(const std::vector<Prediction>& predictions) {
  // Temperatures from 1/100 to 100. At the coldest, labels that are the likeliest cost nothing any more.
  double low = 0.01, high = 100;
  if (predictions.empty() || slope(predictions, high) <= 0 || slope(predictions, low) >= 0)
    return std::nullopt;
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = std::sqrt(low * high);
    (slope(predictions, middle) < 0 ? low : high) = middle;
  }
  return 1 / std::sqrt(low * high);
}

std::vector<Prediction> with_temperature(std::vector<Prediction> predictions, double temperature) {
  for (Prediction& p : predictions) {
    const std::vector<double> q = softened(p, 1 / temperature);
    std::copy(q.begin(), q.end(), p.probabilities.begin());
    p.loss = -std::log(std::max(q[static_cast<size_t>(p.label)], kSmallest));
  }
  return predictions;
}

}  // namespace xf
