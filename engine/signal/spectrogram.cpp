#include "engine/signal/spectrogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

namespace {

float grey(double energy) {
  static const auto kGreys = [] {
    std::array<float, 256> greys{};
    for (size_t i = 0; i < greys.size(); ++i) {
      const auto colour = viridis((static_cast<double>(i) + 0.5) / 256);
      greys[i] = static_cast<float>((0.2125 * colour[0] + 0.7154 * colour[1] + 0.0721 * colour[2]) / 255);
    }
    return greys;
  }();
  const double step = std::clamp(energy / kFullScaleEnergy * 256, 0.0, 255.0);
  return kGreys[static_cast<size_t>(step)];
}

}  // namespace

std::vector<float> grey_spectrogram(const EnergyMap& map, int rows, int columns) {
  if (rows < 1 || columns < 1 || map.rows % rows != 0 || map.columns % columns != 0)
    throw InternalError("spectrogram", fmt::format("a map of {}x{} cannot become {}x{} pixels", map.rows,
                                                   map.columns, rows, columns));
  const int high = map.rows / rows, wide = map.columns / columns;
  std::vector<float> pixels;
  pixels.reserve(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (int row = rows - 1; row >= 0; --row) {
    for (int column = 0; column < columns; ++column) {
      float sum = 0;
      for (int y = 0; y < high; ++y)
        for (int x = 0; x < wide; ++x) sum += grey(map.at(row * high + y, column * wide + x));
      pixels.push_back(sum / static_cast<float>(high * wide));
    }
  }
  return pixels;
}

EnergyMap loudest_columns(const EnergyMap& map, int columns) {
  if (columns < 1 || map.columns % columns != 0)
    throw InternalError("spectrogram", fmt::format("{} columns cannot become {}", map.columns, columns));
  EnergyMap merged{map.rows, columns, map.q, {}};
  const auto each = static_cast<std::ptrdiff_t>(map.columns / columns);
  for (auto cell = map.energy.begin(); cell != map.energy.end(); cell += each)
    merged.energy.push_back(*std::max_element(cell, cell + each));
  return merged;
}

}  // namespace xf
