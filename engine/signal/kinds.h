#pragma once
// The kinds of simulated glitches and how each is composed. FROZEN with kGeneratorVersion (simulate.h).
// At most one number is drawn per argument list: compilers differ in the order in which they evaluate it.

#include <span>
#include <string_view>

#include "engine/core/rng.h"
#include "engine/signal/canvas.h"

namespace xf {

/// The part of a simulated series that the demonstration shows, in seconds: its glitches are composed for it.
inline constexpr double kShownSeconds = 1.0;

struct GlitchKind {
  std::string_view name;
  /// Draws the parameters and composes one glitch around time zero; its overall scale does not matter.
  void (*compose)(Canvas&, Rng&);
  /// The signal-to-noise ratio is log-uniform between these. Extended glitches spread theirs over many tiles
  /// and get more, as a detector's trigger generator finds the loudest tile.
  double quietest_snr, loudest_snr;
};

/// blip, chirp, whistle, scattered_light, power_line, koi_fish, tomte, helix.
std::span<const GlitchKind> demo_glitches();

/// The 22 classes of Gravity Spy, and Reverse_Chirp: composed for pictures of 4 s. Not part of
/// kGeneratorVersion, but of kCatalogueVersion (catalogue.h).
std::span<const GlitchKind> gravity_spy_glitches();

/// Other kinds of signals, none of them a detector's known glitch.
std::span<const GlitchKind> pretraining_glitches();

/// Between `low` and `high`, uniform in the logarithm.
double log_uniform(Rng& rng, double low, double high);

/// Between 0 and 2π.
double any_phase(Rng& rng);

/// −1 or 1.
double any_sign(Rng& rng);

}  // namespace xf
