#include "engine/io/image_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace xf::io {

namespace {

using Bytes = std::span<const uint8_t>;

uint32_t big_endian(Bytes b, size_t at) {
  return uint32_t{b[at]} << 24 | uint32_t{b[at + 1]} << 16 | uint32_t{b[at + 2]} << 8 | uint32_t{b[at + 3]};
}

uint32_t little_endian(Bytes b, size_t at) {
  return uint32_t{b[at]} | uint32_t{b[at + 1]} << 8 | uint32_t{b[at + 2]} << 16 | uint32_t{b[at + 3]} << 24;
}

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(),
                    [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

/// CRC-32 (ISO 3309), eight bytes a round by eight tables: a check must not cost as much as the decoding.
class Crc32 {
 public:
  Crc32() {
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
      table_[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; ++i)
      for (size_t t = 1; t < 8; ++t)
        table_[t][i] = (table_[t - 1][i] >> 8) ^ table_[0][table_[t - 1][i] & 0xFFU];
  }

  [[nodiscard]] uint32_t of(Bytes b) const {
    uint32_t c = 0xFFFFFFFFU;
    size_t i = 0;
    for (; i + 8 <= b.size(); i += 8) {
      const uint32_t low = c ^ little_endian(b, i), high = little_endian(b, i + 4);
      c = table_[7][low & 0xFFU] ^ table_[6][low >> 8 & 0xFFU] ^ table_[5][low >> 16 & 0xFFU] ^
          table_[4][low >> 24] ^ table_[3][high & 0xFFU] ^ table_[2][high >> 8 & 0xFFU] ^
          table_[1][high >> 16 & 0xFFU] ^ table_[0][high >> 24];
    }
    for (; i < b.size(); ++i) c = table_[0][(c ^ b[i]) & 0xFFU] ^ (c >> 8);
    return ~c;
  }

 private:
  std::array<std::array<uint32_t, 256>, 8> table_{};
};

/// PNG, section 5: chunks of length, type, data and CRC, from IHDR to IEND.
std::string png_damage(Bytes b) {
  static const Crc32 crc;
  size_t at = 8;
  for (bool has_data = false;;) {
    if (b.size() - at < 12) return has_data ? "is cut short: the end of the PNG is missing" : "is cut short";
    const uint32_t length = big_endian(b, at);
    const std::string type(b.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                           b.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    if (!std::all_of(type.begin(), type.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }))
      return "is damaged: a PNG chunk has no valid name";
    if (length > b.size() - at - 12) return fmt::format("is cut short within its {} chunk", type);
    if (crc.of(b.subspan(at + 4, size_t{length} + 4)) != big_endian(b, at + 8 + length))
      return fmt::format("is damaged: the checksum of its {} chunk does not fit", type);
    if (at == 8 && type != "IHDR") return "is damaged: a PNG must begin with IHDR";
    has_data = has_data || type == "IDAT";
    if (type == "IEND") return has_data ? "" : "is damaged: it has no IDAT chunk";
    const bool known = type == "IHDR" || type == "PLTE" || type == "IDAT";
    if (!known && type[0] <= 'Z') return fmt::format("has a PNG chunk {} that is not supported", type);
    at += size_t{length} + 12;
  }
}

/// A DHT segment: tables of a byte, 16 counts of codes and as many bytes as these say, 256 at most. Checked
/// here because stb_image before 2.28 writes beyond its tables otherwise.
bool are_huffman_tables(Bytes segment) {
  while (!segment.empty()) {
    if (segment.size() < 17) return false;
    size_t codes = 0;
    for (size_t i = 1; i <= 16; ++i) codes += segment[i];
    if (codes > 256 || codes > segment.size() - 17) return false;
    segment = segment.subspan(17 + codes);
  }
  return true;
}

/// JPEG (ITU-T T.81, annex B): segments and entropy-coded data up to the end-of-image marker.
std::string jpeg_damage(Bytes b) {
  size_t at = 2;
  for (;;) {
    // Outside segments, 0xFF followed by neither 0 (a stuffed byte) nor a restart marker is a marker.
    while (at + 1 < b.size() &&
           (b[at] != 0xFF || b[at + 1] == 0 || b[at + 1] == 0xFF || (b[at + 1] >= 0xD0 && b[at + 1] <= 0xD7)))
      ++at;
    if (at + 1 >= b.size()) return "is cut short: the end of the JPEG is missing";
    if (b[at + 1] == 0xD9) return "";
    const uint8_t marker = b[at + 1];
    at += 2;
    if (marker == 0x01 || marker == 0xD8) continue;  // markers without a segment
    if (b.size() - at < 2) return "is cut short within a JPEG segment";
    const size_t length = std::max<size_t>(2, size_t{b[at]} << 8 | b[at + 1]);
    if (length > b.size() - at) return "is cut short within a JPEG segment";
    if (marker == 0xC4 && !are_huffman_tables(b.subspan(at + 2, length - 2)))
      return "is damaged: a Huffman table of the JPEG is not valid";
    at += length;
  }
}

/// BMP: a header that says where the rows begin; each is padded to four bytes.
std::string bmp_damage(Bytes b) {
  if (b.size() < 26) return "is cut short within the BMP header";
  const uint32_t header = little_endian(b, 14);
  const bool old = header == 12;  // OS/2: 16-bit sizes
  if (!old && b.size() < 54) return "is cut short within the BMP header";
  const uint64_t width = old ? little_endian(b, 18) & 0xFFFFU : little_endian(b, 18);
  const uint64_t height = old ? little_endian(b, 18) >> 16
                              : static_cast<uint64_t>(std::llabs(static_cast<int32_t>(little_endian(b, 22))));
  const uint64_t bits = old ? b[24] : b[28];
  if (width > 0x7FFFFFFFU) return "is damaged: its BMP header gives no valid width";
  const uint64_t rows = (width * bits + 31) / 32 * 4 * height;
  return little_endian(b, 10) + rows > b.size() ? "is cut short: rows of the BMP are missing" : "";
}

}  // namespace

std::string image_damage(Bytes bytes) {
  using namespace std::string_view_literals;
  if (bytes.empty()) return "is empty";
  if (starts_with(bytes, "\x89PNG\r\n\x1a\n"sv)) return png_damage(bytes);
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return jpeg_damage(bytes);
  if (starts_with(bytes, "BM"sv)) return bmp_damage(bytes);
  return "is not a PNG, JPEG or BMP image";
}

}  // namespace xf::io
