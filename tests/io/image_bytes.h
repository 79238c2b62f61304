#pragma once
// Image files made in memory, for tests: PNG kinds that nothing at hand writes, BMP, JPEG.

#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/io/image.h"
#include "tests/io/png_checksum.h"

namespace xf::test {

enum class PngColor : uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

struct PngHeader {
  int width, height, depth;
  PngColor color;
};

inline void append_big_endian(std::vector<uint8_t>& to, uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<uint8_t>(value >> shift));
}

inline void append_chunk(std::vector<uint8_t>& to, std::string_view type, const std::vector<uint8_t>& data) {
  append_big_endian(to, static_cast<uint32_t>(data.size()));
  const size_t begin = to.size();
  to.insert(to.end(), type.begin(), type.end());
  to.insert(to.end(), data.begin(), data.end());
  append_big_endian(to, png_checksum(std::span(to).subspan(begin)));
}

/// A PNG of the rows as given (each begins with its filter byte), in one stored zlib block.
inline std::vector<uint8_t> png_bytes(const PngHeader& header, const std::vector<uint8_t>& rows,
                                      const std::vector<uint8_t>& palette) {
  std::vector<uint8_t> png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'}, ihdr;
  append_big_endian(ihdr, static_cast<uint32_t>(header.width));
  append_big_endian(ihdr, static_cast<uint32_t>(header.height));
  ihdr.insert(ihdr.end(), {static_cast<uint8_t>(header.depth), static_cast<uint8_t>(header.color), 0, 0, 0});
  append_chunk(png, "IHDR", ihdr);
  if (!palette.empty()) append_chunk(png, "PLTE", palette);
  const auto size = static_cast<uint16_t>(rows.size());
  std::vector<uint8_t> zlib = {0x78, 0x01, 1};
  for (const int v : {size & 0xFF, size >> 8, ~size & 0xFF, (~size >> 8) & 0xFF})
    zlib.push_back(static_cast<uint8_t>(v));
  zlib.insert(zlib.end(), rows.begin(), rows.end());
  uint32_t a = 1, b = 0;
  for (const uint8_t byte : rows) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  append_big_endian(zlib, b << 16 | a);
  append_chunk(png, "IDAT", zlib);
  append_chunk(png, "IEND", {});
  return png;
}

inline void append_bytes(void* to, void* data, int size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  static_cast<std::vector<uint8_t>*>(to)->insert(static_cast<std::vector<uint8_t>*>(to)->end(), bytes,
                                                 bytes + size);
}

inline std::vector<uint8_t> bmp_bytes(const io::Image& image) {
  std::vector<uint8_t> bytes;
  stbi_write_bmp_to_func(append_bytes, &bytes, image.width, image.height, 3, image.rgb.data());
  return bytes;
}

inline std::vector<uint8_t> jpeg_bytes(const io::Image& image) {
  std::vector<uint8_t> bytes;
  stbi_write_jpg_to_func(append_bytes, &bytes, image.width, image.height, 3, image.rgb.data(), 95);
  return bytes;
}

}  // namespace xf::test
