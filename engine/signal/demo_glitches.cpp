// Kinds of glitches that detectors have, after the Gravity Spy field guide.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/signal/kinds.h"
#include "engine/signal/noise.h"

namespace xf {
namespace {

/// A teardrop of a few milliseconds, 30 … 1000 Hz.
void blip(Canvas& canvas, Rng& rng) {
  const double frequency = log_uniform(rng, 95, 330), q = rng.uniform(0.9, 2.2);
  canvas.burst(0, frequency, q, 1, any_phase(rng));
}

/// A blip's shape at lower frequencies.
void tomte(Canvas& canvas, Rng& rng) {
  const double frequency = log_uniform(rng, 34, 110), q = rng.uniform(0.9, 2.2);
  canvas.burst(0, frequency, q, 1, any_phase(rng));
}

/// A loud spike over a low body with fins on both sides.
void koi_fish(Canvas& canvas, Rng& rng) {
  const double spike_phase = any_phase(rng), spike_q = rng.uniform(0.8, 1.6);
  canvas.burst(0, log_uniform(rng, 80, 260), spike_q, 1, spike_phase);
  const double body_phase = any_phase(rng), body_loudness = rng.uniform(0.5, 1.2),
               body_q = rng.uniform(1.5, 4);
  canvas.burst(0, log_uniform(rng, 22, 60), body_q, body_loudness, body_phase);
  const double reach = log_uniform(rng, 0.05, 0.2), fin_hz = log_uniform(rng, 25, 70);
  const double loudness = rng.uniform(0.25, 0.8);
  const int scales = 8 + static_cast<int>(rng.below(10));
  for (int i = 0; i < scales; ++i) {
    const double t = reach * rng.normal();
    const double frequency = fin_hz * std::exp(0.3 * rng.normal() - 0.4 * std::abs(t) / reach);
    const double phase = any_phase(rng), q = rng.uniform(2.5, 7);
    canvas.burst(t, std::max(frequency, 12.0), q, loudness / std::sqrt(scales), phase);
  }
}

/// Pairs of thin spikes whose spectra interfere: a twisted string, several times.
void helix(Canvas& canvas, Rng& rng) {
  const int strings = 1 + static_cast<int>(rng.below(5));
  const double frequency = log_uniform(rng, 90, 260), knot_hz = log_uniform(rng, 150, 500);
  double t = strings == 1 ? 0.0 : rng.uniform(-0.4, -0.1);
  for (int i = 0; i < strings; ++i) {
    const double gap = rng.uniform(0.012, 0.035), phase = any_phase(rng), loudness = rng.uniform(0.5, 1);
    const double q = rng.uniform(0.8, 1.4);
    canvas.burst(t - gap / 2, frequency, q, loudness, phase);
    canvas.burst(t + gap / 2, frequency, q, loudness * rng.uniform(0.7, 1.3), phase);
    const double knot_phase = any_phase(rng), knot_loudness = loudness * rng.uniform(0.3, 1);
    canvas.burst(t, knot_hz, rng.uniform(5, 12), knot_loudness, knot_phase);
    t += rng.uniform(0.06, 0.3);
  }
}

/// A beat note: V, W or arch at high frequencies, sometimes one arm of it alone.
void whistle(Canvas& canvas, Rng& rng) {
  const double half = log_uniform(rng, 0.05, 0.45), power = rng.uniform(1, 2.2);
  const double low = log_uniform(rng, 120, 700), high = low * log_uniform(rng, 1.7, 8);
  const bool arch = rng.below(2) == 0;
  const auto arms = rng.below(5);  // 0: the left alone, 1: the right alone
  const double begin = arms == 1 ? 0 : -half, end = arms == 0 ? 0 : half;
  const auto frequency = [&](double t) {
    const double x = std::pow(std::abs(t) / half, power);
    return arch ? high * std::pow(low / high, x) : low * std::pow(high / low, x);
  };
  const double tilt = rng.uniform(-0.5, 0.5);  // the beat is rarely equally loud at all frequencies
  const auto amplitude = [&](double t) {
    return fade(t, begin, end, 0.15 * (end - begin)) * std::pow(frequency(t) / low, tilt);
  };
  canvas.sweep(begin, end, frequency, amplitude, any_phase(rng));
}

/// An inspiral at Newtonian order that ends in a short ringdown.
void chirp(Canvas& canvas, Rng& rng) {
  constexpr double kSunSeconds = 4.925491e-6;
  const double chirp_mass = log_uniform(rng, 2.5, 35), total_mass = chirp_mass / 0.435;  // equal masses
  const double last_hz =
      std::min(1.0 / (std::pow(6.0, 1.5) * std::numbers::pi * kSunSeconds * total_mass) * 2.5,
               0.9 * canvas.highest_hz());
  const double scale = std::pow(kSunSeconds * chirp_mass, -0.625) / std::numbers::pi;
  const auto frequency = [&](double left) { return scale * std::pow(5.0 / (256.0 * left), 0.375); };
  const double at_last = 5.0 / 256.0 / std::pow(last_hz / scale, 8.0 / 3.0);
  const double merger = rng.uniform(0.0, 0.3), begin = -1.2;
  const auto current = [&](double t) { return t < merger ? frequency(merger - t + at_last) : last_hz; };
  const double damping = 3.0 / last_hz;
  const auto amplitude = [&](double t) {
    const double f = current(t);
    const double after = t > merger ? std::exp(-(t - merger) / damping) : 1.0;
    return after * fade(t, begin, 2.0, 0.2) * std::pow(f, 2.0 / 3.0) / detector_amplitude(f);
  };
  canvas.sweep(begin, merger + 6 * damping, current, amplitude, any_phase(rng));
}

/// Arches of light scattered by a swinging surface, with harmonics.
void scattered_light(Canvas& canvas, Rng& rng) {
  const double arch = log_uniform(rng, 0.3, 1.6), highest = log_uniform(rng, 18, 75);
  const int arches = 1 + static_cast<int>(rng.below(static_cast<uint64_t>(std::ceil(1.2 / arch))));
  const int harmonics = 1 + static_cast<int>(rng.below(4));
  const double begin = -0.5 * arch * arches, fall = rng.uniform(0.35, 0.9);
  const auto position = [&](double t) { return std::abs(std::sin(std::numbers::pi * (t - begin) / arch)); };
  for (int h = 1; h <= harmonics; ++h) {
    const double amplitude = std::pow(fall, h - 1) * rng.uniform(0.6, 1.2);
    canvas.sweep(
        begin, -begin, [&](double t) { return h * highest * position(t); },
        [&](double t) { return amplitude * std::pow(position(t), 1.5); }, any_phase(rng));
  }
}

/// A burst of the mains, with some of its harmonics.
void power_line(Canvas& canvas, Rng& rng) {
  const double mains = 60 + 1.2 * rng.normal(), q = log_uniform(rng, 10, 110);
  canvas.burst(0, mains, q, 1, any_phase(rng));
  for (int h = 2; h <= 5; ++h) {
    const double loudness = rng.uniform(-0.6, 0.5);
    if (loudness > 0) canvas.burst(0, h * mains, h * q, loudness, any_phase(rng));
  }
}

constexpr GlitchKind kKinds[] = {
    {"blip", blip, 10, 45},
    {"chirp", chirp, 12, 50},
    {"whistle", whistle, 16, 70},
    {"scattered_light", scattered_light, 14, 80},
    {"power_line", power_line, 7, 40},
    {"koi_fish", koi_fish, 20, 110},
    {"tomte", tomte, 8, 40},
    {"helix", helix, 15, 60},
};

}  // namespace

std::span<const GlitchKind> demo_glitches() { return kKinds; }

}  // namespace xf
