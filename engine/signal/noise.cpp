#include "engine/signal/noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace xf {
namespace {

struct Line {
  double frequency, half_width, height;  // height in power, over what is below the line
};
constexpr Line kLines[] = {{35.9, 0.05, 400},  {60, 0.08, 900},    {120, 0.06, 60},   {180, 0.06, 90},
                           {331.9, 0.05, 300}, {504.8, 0.1, 2000}, {1009.4, 0.1, 800}};

}  // namespace

double detector_amplitude(double frequency) {
  const double f = std::max(frequency, 8.0);  // below, the detector hears nothing: the wall need not rise on
  const double x = f / 215.0, x2 = x * x;
  double power = std::pow(x, -4.14) - 5.0 / x2 + 111.0 * (1.0 - x2 + x2 * x2 / 2.0) / (1.0 + x2 / 2.0);
  power += 3e5 * std::pow(10.0 / f, 14);
  double lines = 1;
  for (const Line& line : kLines) {
    const double distance = (f - line.frequency) / line.half_width;
    lines += line.height / (1.0 + distance * distance);
  }
  return std::sqrt(1e-49 * power * lines);
}

Series white_noise(Rng& rng, size_t samples) {
  Series out(samples + samples % 2);
  for (size_t i = 0; i < out.size(); i += 2) {
    // Both numbers of Box–Muller: Rng::normal() keeps one.
    const double radius = std::sqrt(-2.0 * std::log(1.0 - rng.uniform()));
    const double angle = 2.0 * std::numbers::pi * rng.uniform();
    out[i] = radius * std::cos(angle);
    out[i + 1] = radius * std::sin(angle);
  }
  out.resize(samples);
  return out;
}

Series colour(const Series& white, double sample_rate) {
  Spectrum spectrum = forward_fft(white);
  const double spacing = sample_rate / static_cast<double>(white.size());
  const double scale = std::sqrt(sample_rate / 2.0);  // variance 1 is the one-sided density 2 / rate
  for (size_t k = 0; k < spectrum.size(); ++k) {
    spectrum[k] *= scale * detector_amplitude(static_cast<double>(k) * spacing);
  }
  return inverse_fft(std::move(spectrum));
}

}  // namespace xf
