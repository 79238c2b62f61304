#pragma once
// What glitches are composed on: a series in units of the detector's noise (white, variance 1 per sample),
// whose time zero lies in its middle.

#include <cmath>
#include <cstddef>
#include <numbers>

#include "engine/signal/fft.h"

namespace xf {

class Canvas {
 public:
  Canvas(size_t samples, double sample_rate) : series_(samples), rate_(sample_rate) {}

  /// Adds a sine-Gaussian around time `t`; `loudness` is its signal-to-noise ratio. Its 1/e half width in
  /// time is q / (√2 π frequency). Nothing is added from 95 % of the Nyquist frequency on.
  void burst(double t, double frequency, double q, double loudness, double phase);

  /// Adds amplitude(t) · sin(phase + 2π ∫ frequency dt) for begin ≤ t < end, without what lies from 95 % of
  /// the Nyquist frequency on. Both are functions of seconds.
  template <class Frequency, class Amplitude>
  void sweep(double begin, double end, Frequency&& frequency, Amplitude&& amplitude, double phase) {
    const double step = 2.0 * std::numbers::pi / rate_;
    for (size_t i = index(begin), last = index(end); i < last; ++i) {
      const double t = time(i), f = frequency(t);
      if (f < highest_hz()) series_[i] += amplitude(t) * std::sin(phase);
      phase += step * f;
    }
  }

  /// Adds value(t) for begin ≤ t < end.
  template <class Value>
  void add(double begin, double end, Value&& value) {
    for (size_t i = index(begin), last = index(end); i < last; ++i) series_[i] += value(time(i));
  }

  /// Moves everything by `seconds` (later where positive) and scales it to the signal-to-noise ratio √Σx².
  /// An empty canvas stays empty.
  void finish(double seconds, double snr);

  /// Turns time around.
  void reverse();

  [[nodiscard]] double sample_rate() const { return rate_; }
  [[nodiscard]] double highest_hz() const { return 0.475 * rate_; }
  [[nodiscard]] const Series& series() const { return series_; }

 private:
  [[nodiscard]] double time(size_t i) const { return (static_cast<double>(i) - middle()) / rate_; }
  [[nodiscard]] double middle() const { return std::floor(0.5 * static_cast<double>(series_.size())); }
  /// The first sample at or after `t`, inside the canvas.
  [[nodiscard]] size_t index(double t) const;

  Series series_;
  double rate_;
};

/// A window that rises from 0 to 1 and falls again along half cosines over `ramp` seconds at both ends.
double fade(double t, double begin, double end, double ramp);

}  // namespace xf
