#include "engine/signal/spectrogram.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/error.h"
#include "engine/signal/colormap.h"

namespace xf {

io::Image draw_spectrogram(const EnergyMap& map, int width) {
  if (width < 1 || map.columns % width != 0) {
    throw InternalError("spectrogram", fmt::format("{} columns cannot become {} pixels", map.columns, width));
  }
  const int merged = map.columns / width;
  io::Image image{width, map.rows, {}};
  image.rgb.reserve(static_cast<size_t>(width) * static_cast<size_t>(map.rows) * 3);
  for (int row = map.rows - 1; row >= 0; --row) {
    for (int column = 0; column < width; ++column) {
      double sum = 0;
      for (int i = 0; i < merged; ++i) {
        sum += std::min<double>(map.at(row, column * merged + i), kFullScaleEnergy);
      }
      const auto colour = viridis(sum / merged / kFullScaleEnergy);
      image.rgb.insert(image.rgb.end(), colour.begin(), colour.end());
    }
  }
  return image;
}

}  // namespace xf
