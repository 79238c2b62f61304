#pragma once
// Simulated glitches of the Gravity Spy project's classes, in pictures of its four durations.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/signal/qtransform.h"

namespace xf {

/// FROZEN. Figures and tests elsewhere were measured on what this version draws: whoever changes kinds,
/// parameters or steps raises the number.
inline constexpr int kCatalogueVersion = 1;

/// Of the public training set: 0.3 of the area between the axes of its pictures.
inline constexpr int kReducedRows = 140, kReducedColumns = 170;

struct GravitySpyGlitch {
  double snr = 0;                                         ///< √Σx² of the whitened signal
  double peak_seconds = 0, peak_hz = 0, peak_energy = 0;  ///< loudest tile; seconds from the pictures' middle
  double central_hz = 0, bandwidth_hz = 0,
         seconds = 0;  ///< of the signal's energy: mean, 2 σ, 2 σ; 0 without
  double q = 0;        ///< of the plane that is shown
  /// Of kShownDurations; kReducedRows × kReducedColumns, grey from 0 to 1, highest frequency first.
  std::array<std::vector<float>, 4> pictures;
};

/// One simulated glitch of `kind`, a name of gravity_spy_glitches(), in 32 s of coloured noise, of which 8 s
/// are Q-transformed. The signal-to-noise ratio ρ is distributed as 1/ρ² between the kind's limits. The same
/// arguments give the same numbers, on any thread; `index` is below 2^32. Throws UsageError for another kind.
GravitySpyGlitch simulate_gravity_spy(std::string_view kind, uint64_t seed, uint64_t index);

/// The energy of that glitch alone, without noise, on the plane that its pictures show, over the
/// `duration`-th of kShownDurations: where a network that looks at the glitch should look. Row 0 is the
/// lowest frequency.
EnergyMap gravity_spy_signal_energy(std::string_view kind, uint64_t seed, uint64_t index, size_t duration,
                                    int rows, int columns);

}  // namespace xf
