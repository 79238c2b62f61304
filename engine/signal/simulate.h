#pragma once
// Simulated spectrograms of glitches, through the same steps as real ones: a glitch is injected into coloured
// detector noise, the noise's spectrum is estimated, the series whitened, Q-transformed and drawn.

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/io/image.h"
#include "engine/signal/qtransform.h"

namespace xf {

/// FROZEN. The bundled network was trained on what this version draws: whoever changes kinds, parameters or
/// the steps from noise to picture raises the number and trains the network again.
inline constexpr int kGeneratorVersion = 1;

/// The kinds that the demonstration tells apart: eight, after glitches that detectors have.
std::span<const std::string_view> demo_kinds();

/// The kinds that the bundled network was pretrained on: none of them is a demonstration kind.
std::span<const std::string_view> pretraining_kinds();

/// The picture of one simulated glitch: 1 s (x), 10 … 2048 Hz (y, logarithmic, low at the bottom), viridis.
/// The same arguments give the same picture, on any thread. `index` counts the glitches of one kind and is
/// below 2^32. Throws UsageError for a kind that is in neither list, and for sizes below 1.
io::Image simulate_spectrogram(std::string_view kind, uint64_t seed, uint64_t index, int height, int width);

/// The energy of that picture's glitch alone, without any noise, on the plane that the picture shows: where a
/// network that looks at the glitch should look. Row 0 is the lowest frequency.
EnergyMap simulate_signal_energy(std::string_view kind, uint64_t seed, uint64_t index, int height, int width);

}  // namespace xf
