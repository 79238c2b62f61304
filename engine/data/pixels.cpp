#include "engine/data/pixels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "engine/core/error.h"
#include "engine/data/grey.h"
#include "engine/data/release.h"
#include "engine/io/hdf5.h"

namespace xf {

namespace {

constexpr int64_t kHeight = 140, kWidth = 170;

io::Image read_dataset(const ImageSource& source) {
  const std::vector<int64_t> dims = source.container->dims(source.dataset);
  if (dims != std::vector<int64_t>{1, kHeight, kWidth})
    throw DataError(
        source.where(),
        fmt::format("has the shape ({}) instead of (1, {}, {})", fmt::join(dims, ", "), kHeight, kWidth),
        "Make it as the Gravity Spy data set has it: a grey image of one duration.");
  std::vector<uint8_t> grey;
  grey.reserve(static_cast<size_t>(kHeight * kWidth));
  for (const float value : source.container->read<float>(source.dataset)) {
    const float byte = std::round(255 * value);
    if (!(byte >= 0 && byte <= 255))
      throw DataError(source.where(), fmt::format("holds {}, which is no grey value from 0 to 1", value),
                      "Correct what wrote it, or leave it out with --on-bad-image skip.");
    grey.push_back(static_cast<uint8_t>(byte));
  }
  return grey_image(grey, kWidth, kHeight);
}

/// An image of a view.
io::Image read_part(const ImageSource& source) {
  io::Image image = read_source(source);
  return is_release_plot(source.file.native(), image) ? reduced(image) : image;
}

std::vector<io::Image> read_parts(const Sample& sample) {
  std::vector<io::Image> parts;
  for (const ImageSource& source : sample.images) {
    parts.push_back(read_part(source));
    const io::Image &first = parts.front(), &last = parts.back();
    if (last.width != first.width || last.height != first.height)
      throw DataError(source.where(),
                      fmt::format("is {}x{} pixels, and {} is {}x{}", last.width, last.height,
                                  sample.images.front().where(), first.width, first.height),
                      "Make all durations of a glitch the same size.");
  }
  return parts;
}

}  // namespace

io::Image merged(const std::vector<io::Image>& parts) {
  io::Image image{2 * parts.at(0).width, 2 * parts[0].height, {}};
  const std::ptrdiff_t stride = std::ptrdiff_t{3} * parts[0].width;
  for (const size_t left : {size_t{0}, size_t{2}})
    for (std::ptrdiff_t y = 0; y < parts[0].height; ++y)
      for (const size_t i : {left, left + 1}) {
        const auto row = parts.at(i).rgb.begin() + y * stride;
        image.rgb.insert(image.rgb.end(), row, row + stride);
      }
  return image;
}

io::Image stacked(const std::vector<io::Image>& parts) {
  const std::vector<uint8_t> r = grey_values(parts.at(0)), g = grey_values(parts.at(1)),
                             b = grey_values(parts.at(2));
  io::Image image{parts[0].width, parts[0].height, {}};
  image.rgb.reserve(3 * r.size());
  for (size_t i = 0; i < r.size(); ++i) image.rgb.insert(image.rgb.end(), {r[i], g[i], b[i]});
  return image;
}

io::Image read_source(const ImageSource& source) {
  return source.container ? read_dataset(source) : io::read_image(source.file);
}

io::Image read_image(const Sample& sample) {
  switch (sample.composition) {
    case Composition::plain: break;
    case Composition::single: return read_part(sample.images.at(0));
    case Composition::merged: return merged(read_parts(sample));
    case Composition::stacked: return stacked(read_parts(sample));
  }
  const ImageSource& source = sample.images.at(0);
  io::Image image = read_source(source);
  return is_release_plot(source.file.native(), image) ? plot_area(image) : image;
}

}  // namespace xf
