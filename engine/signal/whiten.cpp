#include "engine/signal/whiten.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "engine/core/error.h"

namespace xf {
namespace {

/// The expected median of n exponential variables of mean 1.
double median_bias(size_t n) {
  double bias = 1;
  for (size_t k = 2; k < n; k += 2) {
    bias += 1.0 / static_cast<double>(k + 1) - 1.0 / static_cast<double>(k);
  }
  return bias;
}

double median(std::vector<double>& values) {
  const size_t middle = values.size() / 2;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(middle);
  std::nth_element(values.begin(), at, values.end());
  if (values.size() % 2 == 1) return *at;
  return 0.5 * (*at + *std::max_element(values.begin(), at));
}

}  // namespace

PowerSpectrum welch_spectrum(const Series& series, double sample_rate, size_t segment) {
  const size_t step = segment / 2;
  if (step == 0 || series.size() < segment + 3 * step) {
    throw DataError(
        "power spectrum",
        fmt::format("a series of {} samples has fewer than four segments of {}", series.size(), segment),
        "give a longer series");
  }
  const size_t count = (series.size() - segment) / step + 1, bins = segment / 2 + 1;
  std::vector<double> window(segment);
  double power = 0;
  for (size_t j = 0; j < segment; ++j) {
    const double x = static_cast<double>(j) / static_cast<double>(segment);
    window[j] = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * x);
    power += window[j] * window[j];
  }
  std::vector<double> energies(count * bins);
  Series piece(segment);
  for (size_t s = 0; s < count; ++s) {
    for (size_t j = 0; j < segment; ++j) piece[j] = window[j] * series[s * step + j];
    const Spectrum spectrum = forward_fft(piece);
    for (size_t k = 0; k < bins; ++k) energies[s * bins + k] = std::norm(spectrum[k]);
  }
  const double scale = 2.0 / (sample_rate * power);  // 2: one-sided
  PowerSpectrum result{sample_rate / static_cast<double>(segment), std::vector<double>(bins)};
  const double biases[2] = {median_bias((count + 1) / 2), median_bias(count / 2)};
  std::vector<double> values;
  for (size_t k = 0; k < bins; ++k) {
    double sum = 0;
    for (size_t parity = 0; parity < 2; ++parity) {
      values.clear();
      for (size_t s = parity; s < count; s += 2) values.push_back(energies[s * bins + k]);
      sum += median(values) / biases[parity];
    }
    result.density[k] = scale * sum / 2.0;
  }
  return result;
}

Series whiten(const Series& series, double sample_rate, const PowerSpectrum& spectrum, double taper_seconds) {
  const size_t n = series.size();
  const auto taper = std::min(n / 2, static_cast<size_t>(taper_seconds * sample_rate));
  Series tapered = series;
  for (size_t j = 0; j < taper; ++j) {
    const double x = (static_cast<double>(j) + 0.5) / static_cast<double>(taper);
    const double weight = 0.5 - 0.5 * std::cos(std::numbers::pi * x);
    tapered[j] *= weight;
    tapered[n - 1 - j] *= weight;
  }
  Spectrum bins = forward_fft(tapered);
  bins[0] = 0;
  const double step = sample_rate / static_cast<double>(n) / spectrum.spacing_hz;
  const size_t last = spectrum.density.size() - 1;
  for (size_t k = 1; k < bins.size(); ++k) {
    const double at = static_cast<double>(k) * step;
    const size_t left = std::min(static_cast<size_t>(at), last - 1);
    const double right_weight = std::min(1.0, at - static_cast<double>(left));
    const double density =
        (1.0 - right_weight) * spectrum.density[left] + right_weight * spectrum.density[left + 1];
    // White noise of variance 1 has the one-sided density 2 / rate. A bin without any power stays empty.
    bins[k] *= density > 0 ? 1.0 / std::sqrt(density * sample_rate / 2.0) : 0.0;
  }
  return inverse_fft(std::move(bins));
}

}  // namespace xf
