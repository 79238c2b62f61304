// The classes of the Gravity Spy project's training set, after its field guide, and the reversed chirp of
// George, Shen and Huerta. Those that the demonstration has too are composed by it.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "engine/core/error.h"
#include "engine/signal/kinds.h"

namespace xf {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;
constexpr double kReach = 3.8;  // seconds from the middle: beyond the longest picture, within the canvas

void compose_as(std::span<const GlitchKind> kinds, std::string_view name, Canvas& canvas, Rng& rng) {
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& k) { return k.name == name; });
  if (kind == kinds.end()) throw InternalError("simulated kind", std::string(name) + " is not known");
  kind->compose(canvas, rng);
}

void blip(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "blip", canvas, rng); }
void chirp(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "chirp", canvas, rng); }
void helix(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "helix", canvas, rng); }
void koi_fish(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "koi_fish", canvas, rng); }
void power_line(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "power_line", canvas, rng); }
void tomte(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "tomte", canvas, rng); }
void whistle(Canvas& canvas, Rng& rng) { compose_as(demo_glitches(), "whistle", canvas, rng); }

/// Frequencies that drift slowly around one: a sum of four slow swings in the logarithm.
class Drift {
 public:
  Drift(Rng& rng, double frequency, double depth, double slowest, double fastest) : frequency_(frequency) {
    for (Swing& s : swings_) {
      s.rate = log_uniform(rng, slowest, fastest);
      s.phase = any_phase(rng);
      s.depth = depth * rng.uniform(0.2, 0.6);
    }
  }
  double operator()(double t) const {
    double sum = 0;
    for (const Swing& s : swings_) sum += s.depth * std::sin(kTwoPi * s.rate * t + s.phase);
    return frequency_ * std::exp(sum);
  }

 private:
  struct Swing {
    double rate = 0, phase = 0, depth = 0;
  };
  double frequency_;
  Swing swings_[4];
};

/// A dotted line at 1080 Hz.
void lines_1080(Canvas& canvas, Rng& rng) {
  const int dots = 30 + static_cast<int>(rng.below(50));
  for (int i = 0; i < dots; ++i) {
    const double t = rng.uniform(-kReach, kReach), frequency = 1080 + 8 * rng.normal();
    const double q = log_uniform(rng, 40, 120), phase = any_phase(rng);
    canvas.burst(t, frequency, q, rng.uniform(0.6, 1.2), phase);
  }
}

/// A short wavy stretch at 1400 Hz.
void ripples_1400(Canvas& canvas, Rng& rng) {
  const double half = log_uniform(rng, 0.03, 0.25), rate = log_uniform(rng, 15, 60);
  const double start = any_phase(rng), middle = 1400 + 25 * rng.normal();
  canvas.sweep(
      -half, half, [&](double t) { return middle * (1 + 0.03 * std::sin(kTwoPi * rate * t + start)); },
      [&](double t) { return fade(t, -half, half, 0.4 * half) * (1.3 + std::sin(2 * kTwoPi * rate * t)); },
      any_phase(rng));
}

/// A bar at 50 Hz, often with a weaker one beside it.
void air_compressor(Canvas& canvas, Rng& rng) {
  const double frequency = 50 + 0.8 * rng.normal(), q = log_uniform(rng, 25, 70);
  canvas.burst(0, frequency, q, 1, any_phase(rng));
  const double t = rng.uniform(-0.5, 0.5), loudness = rng.uniform(-0.5, 0.6);
  const double beside = frequency * rng.uniform(0.97, 1.03);
  if (loudness > 0) canvas.burst(t, beside, q, loudness, any_phase(rng));
}

/// A major disturbance, white from bottom to top.
void extremely_loud(Canvas& canvas, Rng& rng) {
  const double reach = log_uniform(rng, 0.02, 0.3);
  const double middle = log_uniform(rng, 80, 300), spike_q = rng.uniform(0.7, 1.2);
  canvas.burst(0, middle, spike_q, 1, any_phase(rng));
  const int parts = 10 + static_cast<int>(rng.below(20));
  for (int i = 0; i < parts; ++i) {
    const double t = reach * rng.normal(), frequency = log_uniform(rng, 15, 1500);
    const double q = rng.uniform(1.5, 6), phase = any_phase(rng);
    canvas.burst(t, frequency, q, rng.uniform(0.05, 0.4), phase);
  }
}

/// A wavy track of several seconds with spikes on it.
void light_modulation(Canvas& canvas, Rng& rng) {
  const double begin = rng.uniform(-3.2, -1.0), end = rng.uniform(1.0, 3.2);
  const Drift track(rng, log_uniform(rng, 25, 70), 0.5, 0.6, 3);
  canvas.sweep(
      begin, end, track, [&](double t) { return fade(t, begin, end, 0.3); }, any_phase(rng));
  const int spikes = 5 + static_cast<int>(rng.below(10));
  for (int i = 0; i < spikes; ++i) {
    const double t = rng.uniform(begin, end), frequency = log_uniform(rng, 50, 220);
    const double q = rng.uniform(2, 6), phase = any_phase(rng);
    canvas.burst(t, frequency, q, rng.uniform(8, 22), phase);  // beside the track's amplitude of 1
  }
}

/// A hump at the lower edge.
void low_frequency_burst(Canvas& canvas, Rng& rng) {
  const double reach = log_uniform(rng, 0.08, 0.4), middle = log_uniform(rng, 12, 20);
  const int parts = 4 + static_cast<int>(rng.below(6));
  for (int i = 0; i < parts; ++i) {
    const double t = reach * rng.normal(), frequency = middle * std::exp(0.18 * rng.normal());
    const double q = rng.uniform(2.2, 5), phase = any_phase(rng);
    canvas.burst(t, std::max(frequency, 10.5), q, rng.uniform(0.5, 1), phase);
  }
}

/// Lines at the lower edge through the whole picture.
void low_frequency_lines(Canvas& canvas, Rng& rng) {
  const int lines = 1 + static_cast<int>(rng.below(3));
  for (int i = 0; i < lines; ++i) {
    const double middle = log_uniform(rng, 11, 30), loudness = rng.uniform(0.5, 1);
    const Drift track(rng, middle, 0.02, 0.1, 0.8);
    canvas.sweep(
        -kReach, kReach, track, [&](double t) { return loudness * fade(t, -kReach, kReach, 0.5); },
        any_phase(rng));
  }
}

/// Four sorts of what has no class of its own.
void none_of_the_above(Canvas& canvas, Rng& rng) {
  constexpr std::string_view kSorts[] = {"hop_pair", "harmonic_comb", "gated_noise", "ringdown"};
  compose_as(pretraining_glitches(), kSorts[rng.below(4)], canvas, rng);
}

/// Chirps that rise and fall in turn.
void paired_doves(Canvas& canvas, Rng& rng) {
  const int doves = 2 + 2 * static_cast<int>(rng.below(2));
  const double period = rng.uniform(0.35, 0.55), half = 0.42 * period, low = log_uniform(rng, 28, 45);
  for (int i = 0; i < doves; ++i) {
    const double middle = (i - 0.5 * (doves - 1)) * period,
                 bend = (i % 2 == 0 ? 1 : -1) * rng.uniform(0.5, 0.8);
    const double frequency = low * (i % 2 == 0 ? 1.0 : 1.6);
    canvas.sweep(
        middle - half, middle + half,
        [&](double t) { return frequency * std::exp(bend * (t - middle) / half); },
        [&](double t) { return fade(t, middle - half, middle + half, 0.5 * half); }, any_phase(rng));
  }
}

/// A blip again and again.
void repeating_blips(Canvas& canvas, Rng& rng) {
  const double period = log_uniform(rng, 0.2, 0.5), frequency = log_uniform(rng, 95, 280);
  const double q = rng.uniform(0.9, 2.2);
  const int each_side = 1 + static_cast<int>(rng.below(5));
  for (int i = -each_side; i <= each_side; ++i) {
    const double t = period * (i + 0.08 * rng.normal()), phase = any_phase(rng);
    const double shifted = frequency * std::exp(0.15 * rng.normal());
    canvas.burst(t, shifted, q, rng.uniform(0.6, 1), phase);
  }
}

/// Long arches of light scattered by a swinging surface, with harmonics.
void scattered_light(Canvas& canvas, Rng& rng) {
  const double arch = log_uniform(rng, 1, 3.5), highest = log_uniform(rng, 18, 55);
  const int arches = 1 + static_cast<int>(rng.below(static_cast<uint64_t>(std::ceil(5 / arch))));
  const int harmonics = 1 + static_cast<int>(rng.below(3));
  const double begin = -0.5 * arch * arches, fall = rng.uniform(0.35, 0.9);
  const auto position = [&](double t) { return std::abs(std::sin(std::numbers::pi * (t - begin) / arch)); };
  for (int h = 1; h <= harmonics; ++h) {
    const double amplitude = std::pow(fall, h - 1) * rng.uniform(0.6, 1.2);
    canvas.sweep(
        std::max(begin, -kReach), std::min(-begin, kReach),
        [&](double t) { return h * highest * position(t); },
        [&](double t) { return amplitude * std::pow(position(t), 1.5); }, any_phase(rng));
  }
}

/// A carpet of short waves at middle frequencies.
void scratchy(Canvas& canvas, Rng& rng) {
  const double half = log_uniform(rng, 0.25, 1.2), middle = log_uniform(rng, 90, 260);
  const int waves = static_cast<int>(half * rng.uniform(70, 130));
  for (int i = 0; i < waves; ++i) {
    const double t = rng.uniform(-half, half), frequency = middle * std::exp(0.35 * rng.normal());
    const double q = rng.uniform(5, 11), phase = any_phase(rng);
    canvas.burst(t, frequency, q, rng.uniform(0.4, 1), phase);
  }
}

/// The suspension's strings ring near 500 Hz and its multiples.
void violin_mode(Canvas& canvas, Rng& rng) {
  const double frequency = 500 + 5 * rng.normal(), q = log_uniform(rng, 60, 250);
  canvas.burst(0, frequency, q, 1, any_phase(rng));
  for (int h = 2; h <= 3; ++h) {
    const double loudness = rng.uniform(-0.8, 0.9);
    if (loudness > 0) canvas.burst(0, h * frequency, h * q, loudness, any_phase(rng));
  }
}

/// A line at high frequencies that wanders through the whole picture.
void wandering_line(Canvas& canvas, Rng& rng) {
  const Drift track(rng, log_uniform(rng, 600, 1300), 0.12, 0.08, 0.8);
  canvas.sweep(
      -kReach, kReach, track, [&](double t) { return fade(t, -kReach, kReach, 0.5); }, any_phase(rng));
}

void reverse_chirp(Canvas& canvas, Rng& rng) {
  chirp(canvas, rng);
  canvas.reverse();
}

/// Noise alone.
void no_glitch(Canvas&, Rng&) {}

constexpr GlitchKind kKinds[] = {
    {"1080Lines", lines_1080, 45, 110},
    {"1400Ripples", ripples_1400, 16, 60},
    {"Air_Compressor", air_compressor, 9, 35},
    {"Blip", blip, 10, 60},
    {"Chirp", chirp, 12, 50},
    {"Extremely_Loud", extremely_loud, 600, 20000},
    {"Helix", helix, 15, 80},
    {"Koi_Fish", koi_fish, 40, 300},
    {"Light_Modulation", light_modulation, 50, 180},
    {"Low_Frequency_Burst", low_frequency_burst, 12, 60},
    {"Low_Frequency_Lines", low_frequency_lines, 30, 100},
    {"No_Glitch", no_glitch, 7, 8},
    {"None_of_the_Above", none_of_the_above, 18, 70},
    {"Paired_Doves", paired_doves, 20, 70},
    {"Power_Line", power_line, 8, 40},
    {"Repeating_Blips", repeating_blips, 24, 110},
    {"Reverse_Chirp", reverse_chirp, 12, 50},
    {"Scattered_Light", scattered_light, 25, 120},
    {"Scratchy", scratchy, 45, 140},
    {"Tomte", tomte, 9, 50},
    {"Violin_Mode", violin_mode, 9, 40},
    {"Wandering_Line", wandering_line, 100, 260},
    {"Whistle", whistle, 16, 90},
};

}  // namespace

std::span<const GlitchKind> gravity_spy_glitches() { return kKinds; }

}  // namespace xf
