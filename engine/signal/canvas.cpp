#include "engine/signal/canvas.h"

#include <algorithm>
#include <utility>

namespace xf {

size_t Canvas::index(double t) const {
  const double i = std::ceil(t * rate_ + middle());
  return static_cast<size_t>(std::clamp(i, 0.0, static_cast<double>(series_.size())));
}

void Canvas::burst(double t, double frequency, double q, double loudness, double phase) {
  if (frequency >= highest_hz()) return;
  const double tau = q / (std::numbers::sqrt2 * std::numbers::pi * frequency);
  // Σ exp(−2t²/τ²) sin² over the samples is rate · τ √(π/2) / 2 where there are several cycles.
  const double amplitude = loudness / std::sqrt(rate_ * tau * std::sqrt(std::numbers::pi / 8.0));
  add(t - 4 * tau, t + 4 * tau, [&](double at) {
    const double x = (at - t) / tau;
    return amplitude * std::exp(-x * x) * std::sin(phase + 2.0 * std::numbers::pi * frequency * (at - t));
  });
}

void Canvas::finish(double seconds, double snr) {
  double energy = 0;
  for (const double x : series_) energy += x * x;
  const double scale = energy > 0 ? snr / std::sqrt(energy) : 0.0;
  const auto shift = static_cast<std::ptrdiff_t>(std::lround(seconds * rate_));
  const auto count = static_cast<std::ptrdiff_t>(series_.size());
  Series moved(series_.size());
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(0, shift); i < std::min(count, count + shift); ++i) {
    moved[static_cast<size_t>(i)] = scale * series_[static_cast<size_t>(i - shift)];
  }
  series_ = std::move(moved);
}

void Canvas::reverse() { std::reverse(series_.begin(), series_.end()); }

double fade(double t, double begin, double end, double ramp) {
  const double x = std::min(t - begin, end - t) / ramp;
  if (x <= 0) return 0;
  return x < 1 ? 0.5 - 0.5 * std::cos(std::numbers::pi * x) : 1.0;
}

}  // namespace xf
