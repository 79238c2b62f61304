#include "engine/signal/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/signal/canvas.h"
#include "engine/signal/kinds.h"
#include "engine/signal/noise.h"
#include "engine/signal/spectrogram.h"
#include "engine/signal/whiten.h"

namespace xf {
namespace {

constexpr double kSampleRate = 4096;
constexpr size_t kStrainSamples = 65536;  // 16 s, for the spectrum
constexpr size_t kShortSamples = 16384;   // 4 s around the middle, for the Q transform
constexpr size_t kSegment = 8192;         // 2 s of Welch's method
constexpr double kTaperSeconds = 0.5;
constexpr double kLargestOffset = 0.12;  // seconds between the glitch and the middle of the picture
constexpr double kFinestStep = 0.002;    // seconds a column before pixels are merged, as published

std::vector<std::string_view> names_of(std::span<const GlitchKind> kinds) {
  std::vector<std::string_view> names;
  for (const GlitchKind& kind : kinds) names.push_back(kind.name);
  return names;
}

const GlitchKind& kind_named(std::string_view name) {
  std::string known;
  for (const auto kinds : {demo_glitches(), pretraining_glitches()}) {
    for (const GlitchKind& kind : kinds) {
      if (kind.name == name) return kind;
      known.append(" ").append(kind.name);
    }
  }
  throw UsageError("simulated kind", fmt::format("'{}' is not known", name), "use one of" + known);
}

/// FNV-1a: a kind's random stream depends on its name, not on its place in a list.
uint32_t name_hash(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return hash;
}

/// A faint burst beside the glitch, in one picture of four: real noise is never quite clean.
void add_distractor(Canvas& canvas, Rng& rng) {
  const double t = rng.uniform(-0.5, 0.5) * kShownSeconds, frequency = log_uniform(rng, 15, 1500);
  const double phase = any_phase(rng), loudness = rng.uniform(4, 7);
  canvas.burst(t, frequency, log_uniform(rng, 4, 25), loudness, phase);
}

const QTransform& transform() {
  static const QTransform instance(
      {kSampleRate, kShortSamples, 10, 2048, q_planes(4, 64), TileLevel::unit_variance});
  return instance;
}

void add_in_the_middle(Series& series, const Series& part) {
  const size_t first = (series.size() - part.size()) / 2;
  for (size_t i = 0; i < part.size(); ++i) series[first + i] += part[i];
}

struct Injection {
  Canvas glitch, distractor;
  Series noise;  // white
};

Injection draw_injection(std::string_view kind_name, uint64_t seed, uint64_t index) {
  const GlitchKind& kind = kind_named(kind_name);
  Rng rng(seed, uint64_t{name_hash(kind.name)} << 32 | (index & 0xFFFFFFFFU));
  Injection drawn{Canvas(kShortSamples, kSampleRate), Canvas(kShortSamples, kSampleRate), {}};
  kind.compose(drawn.glitch, rng);
  const double snr = log_uniform(rng, kind.quietest_snr, kind.loudest_snr);
  drawn.glitch.finish(rng.uniform(-kLargestOffset, kLargestOffset), snr);
  if (rng.below(4) == 0) add_distractor(drawn.distractor, rng);
  drawn.noise = white_noise(rng, kStrainSamples);
  return drawn;
}

QWindow window_of(int height, int width) {
  if (height < 1 || width < 1) {
    throw UsageError("simulated picture", fmt::format("{}x{} pixels cannot be drawn", height, width));
  }
  const int merged = static_cast<int>(std::ceil(kShownSeconds / kFinestStep / width));
  return {0.5 * static_cast<double>(kShortSamples) / kSampleRate, kShownSeconds, height, width * merged};
}

/// The map of one injection, from white noise to the plane that is shown.
EnergyMap observe(const Injection& drawn, const QWindow& window) {
  Series sum = drawn.noise;
  add_in_the_middle(sum, drawn.glitch.series());
  add_in_the_middle(sum, drawn.distractor.series());
  const Series strain = colour(sum, kSampleRate);
  const PowerSpectrum spectrum = welch_spectrum(strain, kSampleRate, kSegment);
  const Series white = whiten(strain, kSampleRate, spectrum, kTaperSeconds);
  const auto first = white.begin() + (kStrainSamples - kShortSamples) / 2;
  return transform().loudest_plane(Series(first, first + kShortSamples), window);
}

}  // namespace

std::span<const std::string_view> demo_kinds() {
  static const auto names = names_of(demo_glitches());
  return names;
}

std::span<const std::string_view> pretraining_kinds() {
  static const auto names = names_of(pretraining_glitches());
  return names;
}

io::Image simulate_spectrogram(std::string_view kind, uint64_t seed, uint64_t index, int height, int width) {
  const QWindow window = window_of(height, width);
  return draw_spectrogram(observe(draw_injection(kind, seed, index), window), width);
}

EnergyMap simulate_signal_energy(std::string_view kind, uint64_t seed, uint64_t index, int height,
                                 int width) {
  const QWindow window = window_of(height, width);
  const Injection drawn = draw_injection(kind, seed, index);
  const double q = observe(drawn, window).q;
  const auto& planes = transform().options().q;
  const auto plane = static_cast<size_t>(std::find(planes.begin(), planes.end(), q) - planes.begin());
  const EnergyMap fine = transform().plane(drawn.glitch.series(), window, plane);
  EnergyMap map{height, width, q, {}};
  const auto merged = static_cast<std::ptrdiff_t>(window.columns / width);
  for (auto cell = fine.energy.begin(); cell != fine.energy.end(); cell += merged) {
    map.energy.push_back(*std::max_element(cell, cell + merged));
  }
  return map;
}

}  // namespace xf
