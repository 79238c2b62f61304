#pragma once
// Images as files: PNG, JPEG and BMP in, PNG and JPEG out.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace xf::io {

/// 8-bit RGB, rows from the top, three bytes a pixel.
struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

/// Larger images are refused: a damaged header must not become an allocation of gigabytes.
inline constexpr int kMaxImageSide = 16384;
inline constexpr int64_t kMaxImagePixels = int64_t{1} << 25;

/// Decodes a PNG (grey, grey + alpha, RGB, RGBA, palette; 1 to 16 bits), a JPEG or a BMP, told apart by
/// content. Grey becomes three equal channels; of 16 bits the upper 8 are kept. Alpha is dropped without
/// blending: a transparent pixel shows the colour that is stored under it (spectrograms are opaque).
/// `subject` names the source in errors. Throws DataError for anything that is not a whole image: another
/// format, a file that is cut short, a PNG chunk whose checksum does not fit, sizes beyond the limits above.
Image decode_image(std::span<const uint8_t> bytes, const std::string& subject);

/// The same for a file. Throws MissingInputError when it is not there or may not be read.
Image read_image(const std::filesystem::path& file);

/// An 8-bit RGB PNG file as bytes.
std::vector<uint8_t> encode_png(const Image& image);

/// Writes that file, whole or not at all, over an earlier one. Throws WriteError.
void write_png(const std::filesystem::path& file, const Image& image);

/// A JPEG file as bytes; `quality` from 1 to 100.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality);

}  // namespace xf::io
