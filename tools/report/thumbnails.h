#pragma once
// Small pictures of glitches: many to a JPEG, whose header and tables would be most of a small one.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/io/image.h"

namespace xf::report {

/// Rows and columns of one picture: whole blocks of JPEG's 16x16.
inline constexpr int kThumbnail = 48;

class Thumbnails {
 public:
  /// The next picture: kThumbnail rows of kThumbnail RGB pixels.
  void add(std::span<const uint8_t> rgb);
  /// {columns, rows, sheets}: each sheet is a data URL of columns × rows places, filled row by row in the
  /// order of add().
  [[nodiscard]] nlohmann::json take();

 private:
  void finish();
  io::Image sheet_;
  int filled_ = 0;
  std::vector<std::string> sheets_;
};

/// A picture as what `src` of an image element takes.
std::string data_url(const io::Image& image);

}  // namespace xf::report
