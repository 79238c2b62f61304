#include "engine/signal/gravity_spy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "engine/core/error.h"
#include "engine/signal/injection.h"
#include "engine/signal/kinds.h"
#include "engine/signal/noise.h"
#include "engine/signal/qscan.h"
#include "engine/signal/spectrogram.h"

namespace xf {
namespace {

constexpr double kRate = 4096;
// 32 s for the spectrum, of which 8 s are Q-transformed: a signal of that length is in a quarter of Welch's
// segments of 2 s and does not pass for noise.
constexpr Recording kRecording{kRate, 131072, 32768, 8192, 1};
constexpr double kMiddle = 4;
constexpr double kLargestOffset = 0.04;  // seconds between the glitch and the middle of the pictures
constexpr int kCellRows = 3;             // averaged into one pixel, as the published pictures were reduced

const GlitchKind& kind_named(std::string_view name) {
  std::string known;
  for (const GlitchKind& kind : gravity_spy_glitches()) {
    if (kind.name == name) return kind;
    known.append(" ").append(kind.name);
  }
  throw UsageError("simulated class", fmt::format("'{}' is not known", name), "use some of" + known);
}

const QTransform& transform() {
  static const QTransform instance({kRate, kRecording.shown, kLowestHz, kHighestHz,
                                    q_planes(kLowestQ, kHighestQ), TileLevel::unit_variance});
  return instance;
}

struct Injection {
  double snr;
  Canvas glitch, distractor;
  Series noise;  // white
};

Injection draw_injection(std::string_view name, uint64_t seed, uint64_t index) {
  const GlitchKind& kind = kind_named(name);
  Rng rng = glitch_stream(seed, kind.name, index);
  Injection drawn{0, Canvas(kRecording.shown, kRate), Canvas(kRecording.shown, kRate), {}};
  kind.compose(drawn.glitch, rng);
  // The inverse of the distribution function of 1/ρ².
  const double u = rng.uniform();
  const double snr = 1 / ((1 - u) / kind.quietest_snr + u / kind.loudest_snr);
  drawn.glitch.finish(rng.uniform(-kLargestOffset, kLargestOffset), snr);
  const Series& series = drawn.glitch.series();
  if (std::any_of(series.begin(), series.end(), [](double x) { return x != 0; })) drawn.snr = snr;
  if (rng.below(4) == 0) add_distractor(drawn.distractor, rng, kShownDurations.back().seconds);
  drawn.noise = white_noise(rng, kRecording.strain);
  return drawn;
}

/// How the `i`-th duration is drawn into pixels that are means of finer cells.
QWindow window_of(size_t i, int rows, int columns) {
  const double seconds = kShownDurations[i].seconds;
  const int merged = static_cast<int>(std::ceil(seconds / kFinestStep / columns));
  return {kMiddle, seconds, rows, columns * merged};
}

QScanned observe(Injection&& drawn) {
  const Canvas* const parts[] = {&drawn.glitch, &drawn.distractor};
  QLook look{kMiddle, kSearchSeconds, {}};
  for (size_t i = 0; i < kShownDurations.size(); ++i)
    look.windows.push_back(window_of(i, kCellRows * kReducedRows, kReducedColumns));
  return std::move(transform().scan(record(std::move(drawn.noise), parts, kRecording), {&look, 1}).front());
}

struct Moments {
  double mean = 0, sigma = 0;
};

/// Of places 0, 1, 2 … with these weights.
template <class Weights>
Moments moments(const Weights& weights) {
  double sum = 0, first = 0, second = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double at = static_cast<double>(i), weight = std::norm(weights[i]);
    sum += weight;
    first += weight * at;
    second += weight * at * at;
  }
  if (sum == 0) return {};
  const double mean = first / sum;
  return {mean, std::sqrt(std::max(0.0, second / sum - mean * mean))};
}

}  // namespace

GravitySpyGlitch simulate_gravity_spy(std::string_view kind, uint64_t seed, uint64_t index) {
  Injection drawn = draw_injection(kind, seed, index);
  GravitySpyGlitch glitch;
  glitch.snr = drawn.snr;
  const double bin_hz = kRate / static_cast<double>(kRecording.shown);
  const Moments spectral = moments(forward_fft(drawn.glitch.series()));
  glitch.central_hz = bin_hz * spectral.mean;
  glitch.bandwidth_hz = 2 * bin_hz * spectral.sigma;
  glitch.seconds = 2 * moments(drawn.glitch.series()).sigma / kRate;
  const QScanned seen = observe(std::move(drawn));
  glitch.peak_seconds = seen.peak.seconds - kMiddle;
  glitch.peak_hz = seen.peak.frequency;
  glitch.peak_energy = seen.peak.energy;
  glitch.q = seen.q;
  for (size_t i = 0; i < glitch.pictures.size(); ++i)
    glitch.pictures[i] = grey_spectrogram(seen.maps[i], kReducedRows, kReducedColumns);
  return glitch;
}

EnergyMap gravity_spy_signal_energy(std::string_view kind, uint64_t seed, uint64_t index, size_t duration,
                                    int rows, int columns) {
  if (duration >= kShownDurations.size() || rows < 1 || columns < 1)
    throw UsageError("signal energy",
                     fmt::format("{}x{} pixels of duration {} cannot be drawn", rows, columns, duration));
  Injection drawn = draw_injection(kind, seed, index);
  const Series alone = drawn.glitch.series();
  const double q = observe(std::move(drawn)).q;
  const auto& planes = transform().options().q;
  const auto plane = static_cast<size_t>(std::find(planes.begin(), planes.end(), q) - planes.begin());
  return loudest_columns(transform().plane(alone, window_of(duration, rows, columns), plane), columns);
}

}  // namespace xf
