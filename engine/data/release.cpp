#include "engine/data/release.h"

#include <algorithm>
#include <cctype>

#include "engine/core/error.h"
#include "engine/data/duration.h"
#include "engine/data/grey.h"
#include "engine/data/resize.h"

namespace xf {

namespace {

constexpr int kPlotWidth = 800, kPlotHeight = 600;
constexpr int kLeft = 105, kRight = 671, kTop = 66, kBottom = 532;
constexpr int kReducedWidth = 170, kReducedHeight = 140;

bool is_detector(std::string_view text) {
  return text.size() == 2 && std::isupper(static_cast<unsigned char>(text[0])) != 0 &&
         std::isdigit(static_cast<unsigned char>(text[1])) != 0;
}

}  // namespace

std::optional<std::string> release_id(std::string_view text) {
  constexpr std::string_view mark = "_spectrogram";
  const auto parts = split_duration(text);
  if (!parts || !text.ends_with(".png")) return std::nullopt;
  std::string_view stem = parts->stem;
  if (const size_t slash = stem.rfind('/'); slash != std::string_view::npos) stem.remove_prefix(slash + 1);
  if (!stem.ends_with(mark)) return std::nullopt;
  stem.remove_suffix(mark.size());
  const size_t score = stem.find('_');
  if (score == std::string_view::npos || !is_detector(stem.substr(0, score)) || score + 1 == stem.size())
    return std::nullopt;
  return std::string(stem.substr(score + 1));
}

bool is_release_plot(std::string_view text, const io::Image& image) {
  return image.width == kPlotWidth && image.height == kPlotHeight && release_id(text).has_value();
}

io::Image plot_area(const io::Image& plot) {
  if (plot.width != kPlotWidth || plot.height != kPlotHeight)
    throw InternalError("plot_area", "the image is no plot of the release");
  io::Image area{kRight - kLeft, kBottom - kTop, {}};
  constexpr size_t pixel = 3;
  for (size_t y = kTop; y < kBottom; ++y) {
    const auto row = plot.rgb.begin() + static_cast<std::ptrdiff_t>((y * kPlotWidth + kLeft) * pixel);
    area.rgb.insert(area.rgb.end(), row, row + static_cast<std::ptrdiff_t>(area.width * pixel));
  }
  return area;
}

io::Image reduced(const io::Image& plot) { return reduced_area(plot_area(plot)); }

io::Image reduced_area(const io::Image& area) {
  io::Image small{kReducedWidth, kReducedHeight, {}};
  small.rgb.resize(size_t{3} * kReducedWidth * kReducedHeight);
  resize(area, ResizeRule::tf_bilinear, kReducedHeight, kReducedWidth, small.rgb);
  return grey_image(grey_values(small), small.width, small.height);
}

}  // namespace xf
