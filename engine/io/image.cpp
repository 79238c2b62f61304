#include "engine/io/image.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>

#include "engine/core/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/image_check.h"

#define STBI_NO_STDIO
#include <stb/stb_image.h>
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace fs = std::filesystem;

namespace xf::io {

namespace {

[[noreturn]] void refuse(const std::string& subject, const std::string& reason) {
  throw DataError(subject, reason, "Replace or remove the file.");
}

struct FreePixels {
  void operator()(stbi_uc* p) const { stbi_image_free(p); }
};

}  // namespace

Image decode_image(std::span<const uint8_t> bytes, const std::string& subject) {
  if (const std::string damage = image_damage(bytes); !damage.empty()) refuse(subject, damage);
  const int length = static_cast<int>(bytes.size());
  if (bytes.size() > size_t{1} << 30) refuse(subject, "is larger than 1 GiB");
  int width = 0, height = 0, channels = 0;
  if (stbi_info_from_memory(bytes.data(), length, &width, &height, &channels) == 0)
    refuse(subject, fmt::format("cannot be decoded ({})", stbi_failure_reason()));
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide ||
      int64_t{width} * height > kMaxImagePixels)
    refuse(subject, fmt::format("is {}x{} pixels; at most {} a side and {} in all are accepted", width,
                                height, kMaxImageSide, kMaxImagePixels));
  const std::unique_ptr<stbi_uc, FreePixels> pixels(
      stbi_load_from_memory(bytes.data(), length, &width, &height, &channels, STBI_rgb));
  if (!pixels) refuse(subject, fmt::format("cannot be decoded ({})", stbi_failure_reason()));
  const size_t count = static_cast<size_t>(width) * static_cast<size_t>(height) * 3;
  return {width, height, std::vector<uint8_t>(pixels.get(), pixels.get() + count)};
}

Image read_image(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) throw MissingInputError(file.string(), "does not exist");
  if (!fs::is_regular_file(status)) throw MissingInputError(file.string(), "is not a file");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in)
    throw MissingInputError(file.string(), "cannot be read: " + std::generic_category().message(errno));
  std::vector<uint8_t> bytes;
  bytes.resize(static_cast<size_t>(fs::file_size(file)));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(in.gcount()));
  return decode_image(bytes, file.string());
}

namespace {

/// What one of stb's writers makes of an image: `write` is given the function that takes its bytes, and where
/// they go.
template <class Writer>
std::vector<uint8_t> encoded(const char* by, const Image& image, const Writer& write) {
  std::vector<uint8_t> bytes;
  const auto append = [](void* to, void* data, int size) {
    const auto* begin = static_cast<const uint8_t*>(data);
    static_cast<std::vector<uint8_t>*>(to)->insert(static_cast<std::vector<uint8_t>*>(to)->end(), begin,
                                                   begin + size);
  };
  if (image.rgb.size() != static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3 ||
      write(append, &bytes) == 0)
    throw InternalError(
        by, fmt::format("{} bytes are no {}x{} RGB image", image.rgb.size(), image.width, image.height));
  return bytes;
}

}  // namespace

std::vector<uint8_t> encode_png(const Image& image) {
  return encoded("encode_png", image, [&](auto append, void* bytes) {
    return stbi_write_png_to_func(append, bytes, image.width, image.height, 3, image.rgb.data(), 0);
  });
}

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  return encoded("encode_jpeg", image, [&](auto append, void* bytes) {
    return stbi_write_jpg_to_func(append, bytes, image.width, image.height, 3, image.rgb.data(), quality);
  });
}

void write_png(const fs::path& file, const Image& image) {
  const std::vector<uint8_t> png = encode_png(image);
  write_file(file, {reinterpret_cast<const char*>(png.data()), png.size()});
}

}  // namespace xf::io
