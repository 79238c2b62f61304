#include "tools/xferrun/heat_picture.h"

#include <algorithm>
#include <cmath>

namespace xf::tool {

io::Image heat_picture(const io::Image& image, const HeatMap& heat) {
  constexpr float kDark = 0.25F, kEdge = 0.5F;
  constexpr uint8_t kWhite = 255;
  const HeatMap large = resize(heat, image.height, image.width);
  const auto at = [&](int row, int column) {
    return large
        .values[static_cast<size_t>(row) * static_cast<size_t>(image.width) + static_cast<size_t>(column)];
  };
  // A place is on the line when it is inside and a neighbour to the right or below is not, or the other way.
  const auto on_edge = [&](int row, int column) {
    const bool inside = at(row, column) >= kEdge;
    return inside != (at(std::min(row + 1, image.height - 1), column) >= kEdge) ||
           inside != (at(row, std::min(column + 1, image.width - 1)) >= kEdge);
  };
  io::Image out = image;
  size_t byte = 0;
  for (int row = 0; row < image.height; ++row)
    for (int column = 0; column < image.width; ++column) {
      const float light = kDark + (1 - kDark) * at(row, column);
      const bool edge = on_edge(row, column);
      for (int c = 0; c < 3; ++c, ++byte)
        out.rgb[byte] =
            edge ? kWhite : static_cast<uint8_t>(std::lround(light * static_cast<float>(image.rgb[byte])));
    }
  return out;
}

}  // namespace xf::tool
