#pragma once
// Pictures of energy over time and frequency, as the Gravity Spy project draws them.

#include "engine/io/image.h"
#include "engine/signal/qtransform.h"

namespace xf {

/// The normalised energy that is drawn as the last colour (M. Zevin et al., "Gravity Spy", Class. Quantum
/// Grav. 34, 064003).
inline constexpr double kFullScaleEnergy = 25.5;

/// One pixel of `height` × `width` per cell in viridis, 0 … 25.5, low frequencies at the bottom. `width`
/// divides the map's columns: a pixel shows the mean of its columns, each clipped first, as a picture that is
/// made smaller does. The map's rows are the height. Throws InternalError for other sizes.
io::Image draw_spectrogram(const EnergyMap& map, int width);

/// The same picture as the public training set holds it: in grey, from 0 to 1 (0.2125 R + 0.7154 G + 0.0721 B
/// of viridis), `rows` × `columns` with the highest frequency first. Both divide the map's; a pixel shows the
/// mean of its cells. Throws InternalError for other sizes.
std::vector<float> grey_spectrogram(const EnergyMap& map, int rows, int columns);

/// The map with `columns` columns, each the loudest of those it stands for. Their number divides the map's;
/// throws InternalError otherwise.
EnergyMap loudest_columns(const EnergyMap& map, int columns);

}  // namespace xf
