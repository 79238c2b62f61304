// Signals that no detector's list of glitches names: what a network learns general features from.

#include <cmath>
#include <numbers>

#include "engine/signal/kinds.h"

namespace xf {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;

void low_q_burst(Canvas& canvas, Rng& rng) {
  const double phase = any_phase(rng), q = rng.uniform(3.5, 8);
  canvas.burst(0, log_uniform(rng, 25, 1500), q, 1, phase);
}

void high_q_burst(Canvas& canvas, Rng& rng) {
  const double phase = any_phase(rng), q = log_uniform(rng, 25, 120);
  canvas.burst(0, log_uniform(rng, 25, 1500), q, 1, phase);
}

void ringdown(Canvas& canvas, Rng& rng) {
  const double frequency = log_uniform(rng, 30, 1200),
               decay = log_uniform(rng, 5, 60) / (std::numbers::pi * frequency);
  const double begin = -0.1;
  canvas.sweep(
      begin, begin + 6 * decay, [&](double) { return frequency; },
      [&](double t) { return std::exp(-(t - begin) / decay); }, any_phase(rng));
}

/// A tone that climbs or descends in steps.
void staircase(Canvas& canvas, Rng& rng) {
  const int steps = 3 + static_cast<int>(rng.below(5));
  const double tread = rng.uniform(0.05, 0.16), direction = any_sign(rng);
  const double rise = std::pow(log_uniform(rng, 1.2, 1.8), direction);
  const double begin = -0.5 * steps * tread, middle_hz = log_uniform(rng, 80, 700);
  const int middle_step = steps / 2;
  const auto frequency = [&](double t) {
    return middle_hz * std::pow(rise, std::floor((t - begin) / tread) - middle_step);
  };
  canvas.sweep(
      begin, -begin, frequency, [&](double t) { return fade(t, begin, -begin, 0.02); }, any_phase(rng));
}

/// A tone that hops between two frequencies.
void hop_pair(Canvas& canvas, Rng& rng) {
  const int dwells = 4 + static_cast<int>(rng.below(7));
  const double dwell = rng.uniform(0.04, 0.12), begin = -0.5 * dwells * dwell;
  const double low = log_uniform(rng, 40, 500), ratio = log_uniform(rng, 1.5, 4);
  const auto frequency = [&](double t) {
    return static_cast<int>((t - begin) / dwell) % 2 == 0 ? low : low * ratio;
  };
  canvas.sweep(
      begin, -begin, frequency, [&](double t) { return fade(t, begin, -begin, 0.02); }, any_phase(rng));
}

/// Noise in a box of time and frequency.
void noise_burst(Canvas& canvas, Rng& rng) {
  const double length = log_uniform(rng, 0.06, 0.5), low = log_uniform(rng, 20, 400);
  const double ratio = log_uniform(rng, 1.6, 5);
  const int atoms = 40 + static_cast<int>(rng.below(60));
  for (int i = 0; i < atoms; ++i) {
    const double t = length * (rng.uniform() - 0.5);
    const double phase = any_phase(rng), loudness = rng.normal(), q = rng.uniform(4, 12);
    canvas.burst(t, log_uniform(rng, low, low * ratio), q, loudness, phase);
  }
}

/// Noise of all frequencies behind a shutter.
void gated_noise(Canvas& canvas, Rng& rng) {
  const int gates = 1 + static_cast<int>(rng.below(4));
  const double open = rng.uniform(0.015, 0.08), period = open + rng.uniform(0.04, 0.16);
  for (int i = 0; i < gates; ++i) {
    const double begin = (i - 0.5 * (gates - 1)) * period - 0.5 * open;
    canvas.add(begin, begin + open, [&](double) { return rng.normal(); });
  }
}

/// Equally spaced tones that begin and end together.
void harmonic_comb(Canvas& canvas, Rng& rng) {
  const double spacing = log_uniform(rng, 25, 160), half = rng.uniform(0.1, 0.5),
               fall = rng.uniform(-0.3, 0.6);
  const int first = 1 + static_cast<int>(rng.below(3)), tones = 4 + static_cast<int>(rng.below(7));
  for (int h = first; h < first + tones; ++h) {
    canvas.sweep(
        -half, half, [&](double) { return h * spacing; },
        [&](double t) { return std::pow(h, -fall) * fade(t, -half, half, 0.5 * half); }, any_phase(rng));
  }
}

/// A tone whose loudness swings.
void am_tone(Canvas& canvas, Rng& rng) {
  const double frequency = log_uniform(rng, 40, 1300), swing = log_uniform(rng, 3, 14),
               half = rng.uniform(0.25, 0.5);
  const double start = any_phase(rng);
  canvas.sweep(
      -half, half, [&](double) { return frequency; },
      [&](double t) { return fade(t, -half, half, 0.1) * (1 + std::cos(kTwoPi * swing * t + start)); },
      any_phase(rng));
}

/// A tone whose frequency swings.
void fm_tone(Canvas& canvas, Rng& rng) {
  const double middle_hz = log_uniform(rng, 40, 900), swing = log_uniform(rng, 1.5, 8),
               depth = rng.uniform(0.12, 0.6);
  const double half = rng.uniform(0.25, 0.5), start = any_phase(rng);
  canvas.sweep(
      -half, half,
      [&](double t) { return middle_hz * std::exp(depth * std::sin(kTwoPi * swing * t + start)); },
      [&](double t) { return fade(t, -half, half, 0.1); }, any_phase(rng));
}

/// A sudden high tone that falls ever more slowly.
void inverse_chirp(Canvas& canvas, Rng& rng) {
  const double highest = log_uniform(rng, 200, 1500), time_scale = log_uniform(rng, 0.002, 0.04);
  const double power = rng.uniform(0.35, 0.9), begin = rng.uniform(-0.35, -0.05),
               end = begin + rng.uniform(0.2, 0.7);
  canvas.sweep(
      begin, end, [&](double t) { return highest * std::pow(1 + (t - begin) / time_scale, -power); },
      [&](double t) { return fade(t, begin - 0.004, end, 0.15 * (end - begin)); }, any_phase(rng));
}

/// The same short tone again and again.
void tone_train(Canvas& canvas, Rng& rng) {
  const int bursts = 4 + static_cast<int>(rng.below(8));
  const double period = rng.uniform(0.05, 0.16), frequency = log_uniform(rng, 60, 1200),
               q = log_uniform(rng, 5, 16);
  for (int i = 0; i < bursts; ++i) {
    const double phase = any_phase(rng);
    canvas.burst((i - 0.5 * (bursts - 1)) * period, frequency, q, rng.uniform(0.7, 1), phase);
  }
}

/// A rising and a falling tone that cross.
void crossing_sweeps(Canvas& canvas, Rng& rng) {
  const double half = log_uniform(rng, 0.08, 0.45), middle_hz = log_uniform(rng, 60, 600);
  const double bend = rng.uniform(0.35, 1.3);
  for (const double sign : {-1.0, 1.0}) {
    const double slope = sign * bend * rng.uniform(0.7, 1.2);
    canvas.sweep(
        -half, half, [&](double t) { return middle_hz * std::exp(slope * t / half); },
        [&](double t) { return fade(t, -half, half, 0.3 * half); }, any_phase(rng));
  }
}

/// A tone that zigzags.
void triangle_sweep(Canvas& canvas, Rng& rng) {
  const double period = log_uniform(rng, 0.12, 0.45), half = rng.uniform(0.25, 0.5), start = rng.uniform();
  const double low = log_uniform(rng, 40, 500), ratio = log_uniform(rng, 1.5, 4);
  const auto frequency = [&](double t) {
    const double x = (t + half) / period + start;
    return low * std::pow(ratio, 2 * std::abs(x - std::floor(x) - 0.5));
  };
  canvas.sweep(
      -half, half, frequency, [&](double t) { return fade(t, -half, half, 0.1); }, any_phase(rng));
}

/// A short tone and its ever quieter, ever lower echoes.
void echoes(Canvas& canvas, Rng& rng) {
  const int count = 3 + static_cast<int>(rng.below(4));
  const double delay = rng.uniform(0.05, 0.16), keep = rng.uniform(0.5, 0.85), drop = rng.uniform(0.6, 0.95);
  const double frequency = log_uniform(rng, 150, 1300), q = log_uniform(rng, 4, 14);
  for (int i = 0; i < count; ++i) {
    canvas.burst(-0.2 + i * delay, frequency * std::pow(drop, i), q, std::pow(keep, i), any_phase(rng));
  }
}

/// Noise alone.
void quiet(Canvas&, Rng&) {}

constexpr GlitchKind kKinds[] = {
    {"low_q_burst", low_q_burst, 9, 45},
    {"high_q_burst", high_q_burst, 7, 40},
    {"ringdown", ringdown, 9, 50},
    {"staircase", staircase, 14, 70},
    {"hop_pair", hop_pair, 14, 70},
    {"noise_burst", noise_burst, 14, 80},
    {"gated_noise", gated_noise, 24, 80},
    {"harmonic_comb", harmonic_comb, 14, 70},
    {"am_tone", am_tone, 11, 60},
    {"fm_tone", fm_tone, 13, 70},
    {"inverse_chirp", inverse_chirp, 11, 55},
    {"tone_train", tone_train, 14, 60},
    {"crossing_sweeps", crossing_sweeps, 13, 70},
    {"triangle_sweep", triangle_sweep, 14, 70},
    {"echoes", echoes, 12, 60},
    {"quiet", quiet, 7, 7},
};

}  // namespace

std::span<const GlitchKind> pretraining_glitches() { return kKinds; }

}  // namespace xf
