#include "engine/signal/injection.h"

#include "engine/signal/kinds.h"
#include "engine/signal/noise.h"
#include "engine/signal/whiten.h"

namespace xf {
namespace {

/// FNV-1a.
uint32_t name_hash(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return hash;
}

void add_in_the_middle(Series& series, const Series& part) {
  const size_t first = (series.size() - part.size()) / 2;
  for (size_t i = 0; i < part.size(); ++i) series[first + i] += part[i];
}

}  // namespace

Rng glitch_stream(uint64_t seed, std::string_view kind, uint64_t index) {
  return Rng(seed, uint64_t{name_hash(kind)} << 32 | (index & 0xFFFFFFFFU));
}

void add_distractor(Canvas& canvas, Rng& rng, double seconds) {
  const double t = rng.uniform(-0.5, 0.5) * seconds, frequency = log_uniform(rng, 15, 1500);
  const double phase = any_phase(rng), loudness = rng.uniform(4, 7);
  canvas.burst(t, frequency, log_uniform(rng, 4, 25), loudness, phase);
}

Series record(Series white, std::span<const Canvas* const> parts, const Recording& recording) {
  for (const Canvas* part : parts) add_in_the_middle(white, part->series());
  const Series strain = colour(white, recording.sample_rate);
  const PowerSpectrum spectrum = welch_spectrum(strain, recording.sample_rate, recording.segment);
  const Series whitened = whiten(strain, recording.sample_rate, spectrum, recording.taper_seconds);
  const auto first = whitened.begin() + static_cast<std::ptrdiff_t>((recording.strain - recording.shown) / 2);
  return {first, first + static_cast<std::ptrdiff_t>(recording.shown)};
}

}  // namespace xf
