#pragma once
// Grey values of images, one byte a pixel.

#include <cstdint>
#include <vector>

#include "engine/data/preprocess.h"
#include "engine/io/image.h"

namespace xf {

/// to_grey() of every pixel, rows from the top.
inline std::vector<uint8_t> grey_values(const io::Image& image) {
  std::vector<uint8_t> grey(image.rgb.size() / 3);
  to_grey(image.rgb, grey);
  return grey;
}

/// An image whose three channels are these values.
inline io::Image grey_image(const std::vector<uint8_t>& grey, int width, int height) {
  io::Image image{width, height, {}};
  image.rgb.reserve(3 * grey.size());
  for (const uint8_t g : grey) image.rgb.insert(image.rgb.end(), 3, g);
  return image;
}

}  // namespace xf
