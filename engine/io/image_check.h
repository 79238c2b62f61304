#pragma once
// Whether an image file is whole. stb_image decodes what there is: it fills up a JPEG or BMP that is cut
// short and does not look at a PNG's checksums.

#include <cstdint>
#include <span>
#include <string>

namespace xf::io {

/// What is wrong with the bytes of a PNG, JPEG or BMP file, or nothing. Reads only the structure of the file.
std::string image_damage(std::span<const uint8_t> bytes);

}  // namespace xf::io
