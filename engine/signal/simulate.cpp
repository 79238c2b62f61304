#include "engine/signal/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/signal/canvas.h"
#include "engine/signal/injection.h"
#include "engine/signal/kinds.h"
#include "engine/signal/noise.h"
#include "engine/signal/spectrogram.h"

namespace xf {
namespace {

constexpr double kSampleRate = 4096;
// 16 s for the spectrum, of which 4 s are Q-transformed; 2 s of Welch's method.
constexpr Recording kRecording{kSampleRate, 65536, 16384, 8192, 0.5};
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

const QTransform& transform() {
  static const QTransform instance(
      {kSampleRate, kRecording.shown, 10, 2048, q_planes(4, 64), TileLevel::unit_variance});
  return instance;
}

struct Injection {
  Canvas glitch, distractor;
  Series noise;  // white
};

Injection draw_injection(std::string_view kind_name, uint64_t seed, uint64_t index) {
  const GlitchKind& kind = kind_named(kind_name);
  Rng rng = glitch_stream(seed, kind.name, index);
  Injection drawn{Canvas(kRecording.shown, kSampleRate), Canvas(kRecording.shown, kSampleRate), {}};
  kind.compose(drawn.glitch, rng);
  const double snr = log_uniform(rng, kind.quietest_snr, kind.loudest_snr);
  drawn.glitch.finish(rng.uniform(-kLargestOffset, kLargestOffset), snr);
  if (rng.below(4) == 0) add_distractor(drawn.distractor, rng, kShownSeconds);
  drawn.noise = white_noise(rng, kRecording.strain);
  return drawn;
}

QWindow window_of(int height, int width) {
  if (height < 1 || width < 1) {
    throw UsageError("simulated picture", fmt::format("{}x{} pixels cannot be drawn", height, width));
  }
  const int merged = static_cast<int>(std::ceil(kShownSeconds / kFinestStep / width));
  return {0.5 * static_cast<double>(kRecording.shown) / kSampleRate, kShownSeconds, height, width * merged};
}

/// The map of one injection, from white noise to the plane that is shown.
EnergyMap observe(const Injection& drawn, const QWindow& window) {
  const Canvas* const parts[] = {&drawn.glitch, &drawn.distractor};
  return transform().loudest_plane(record(drawn.noise, parts, kRecording), window);
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
  return loudest_columns(transform().plane(drawn.glitch.series(), window, plane), width);
}

}  // namespace xf
