#include "tools/report/thumbnails.h"

#include <algorithm>

#include "engine/io/base64.h"

namespace xf::report {

namespace {

constexpr int kColumns = 32, kRows = 32, kQuality = 60;
constexpr size_t kRowBytes = 3 * size_t{kThumbnail};

}  // namespace

std::string data_url(const io::Image& image) {
  return "data:image/jpeg;base64," + io::base64(io::encode_jpeg(image, kQuality));
}

void Thumbnails::add(std::span<const uint8_t> rgb) {
  if (filled_ == 0)
    sheet_ = {kColumns * kThumbnail, kRows * kThumbnail,
              std::vector<uint8_t>(size_t{kColumns} * kRows * kThumbnail * kRowBytes)};
  const auto column = static_cast<size_t>(filled_ % kColumns), row = static_cast<size_t>(filled_ / kColumns);
  for (size_t y = 0; y < kThumbnail; ++y) {
    const auto from = rgb.subspan(y * kRowBytes, kRowBytes);
    std::copy(from.begin(), from.end(),
              sheet_.rgb.begin() +
                  static_cast<ptrdiff_t>(((row * kThumbnail + y) * kColumns + column) * kRowBytes));
  }
  if (++filled_ == kColumns * kRows) finish();
}

void Thumbnails::finish() {
  sheets_.push_back(data_url(sheet_));
  filled_ = 0;
}

nlohmann::json Thumbnails::take() {
  if (filled_ > 0) finish();
  return {{"columns", kColumns}, {"rows", kRows}, {"sheets", std::move(sheets_)}};
}

}  // namespace xf::report
