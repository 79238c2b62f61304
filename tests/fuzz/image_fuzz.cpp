#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/io/image.h"
#include "tests/fuzz/fuzz.h"
#include "tests/io/png_checksum.h"

namespace {

/// The same file with the checksum of every whole PNG chunk made right.
std::vector<uint8_t> with_right_checksums(std::vector<uint8_t> png) {
  constexpr size_t kSignature = 8, kAround = 12;  // bytes of a chunk besides its data
  const auto big_endian = [&](size_t at) {
    return size_t{png[at]} << 24 | size_t{png[at + 1]} << 16 | size_t{png[at + 2]} << 8 | size_t{png[at + 3]};
  };
  for (size_t at = kSignature; at + kAround <= png.size();) {
    const size_t length = big_endian(at);
    if (length > png.size() - at - kAround) break;
    const uint32_t crc = xf::test::png_checksum({png.data() + at + 4, length + 4});
    for (size_t i = 0; i < 4; ++i) png[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    at += kAround + length;
  }
  return png;
}

void decode(const std::vector<uint8_t>& bytes) {
  xf::fuzz::read_or_refuse([&] {
    const xf::io::Image image = xf::io::decode_image(bytes, "image");
    xf::fuzz::require(image.width >= 1 && image.width <= xf::io::kMaxImageSide);
    xf::fuzz::require(image.height >= 1 && image.height <= xf::io::kMaxImageSide);
    xf::fuzz::require(image.rgb.size() ==
                      size_t{3} * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
    if (image.rgb.size() > (size_t{1} << 16)) return;  // the round trip of large ones is only slow
    const xf::io::Image again = xf::io::decode_image(xf::io::encode_png(image), "image");
    xf::fuzz::require(again.width == image.width && again.height == image.height && again.rgb == image.rgb);
  });
}

}  // namespace

void xf::fuzz::read(std::span<const uint8_t> input) {
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  decode(bytes);
  const std::vector<uint8_t> mended = with_right_checksums(bytes);
  if (mended != bytes) decode(mended);
}
