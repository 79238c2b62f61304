#pragma once
// From a composed glitch to what a detector's pipeline sees of it: the steps that every simulation shares.
// FROZEN with kGeneratorVersion (simulate.h).

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/core/rng.h"
#include "engine/signal/canvas.h"

namespace xf {

/// How long the simulated strain is and how it is whitened; all lengths in samples but the taper's.
struct Recording {
  double sample_rate;
  size_t strain;   ///< of which the spectrum is estimated
  size_t shown;    ///< its middle: where the glitch is, and what is Q-transformed
  size_t segment;  ///< of Welch's method
  double taper_seconds;
};

/// Adds `parts` to the middle of `white` noise, gives the sum the detector's spectrum, estimates that
/// spectrum and whitens with it. Returns the middle.
Series record(Series white, std::span<const Canvas* const> parts, const Recording& recording);

/// A random stream for one glitch: it depends on the kind's name, not on its place in a list.
Rng glitch_stream(uint64_t seed, std::string_view kind, uint64_t index);

/// A faint burst beside the glitch, within `seconds`: real noise is never quite clean.
void add_distractor(Canvas& canvas, Rng& rng, double seconds);

}  // namespace xf
