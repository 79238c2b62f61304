#pragma once
// Files of tiny data sets.

#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "engine/io/image.h"
#include "tests/support/temporary_folder.h"

namespace xf::test {

/// Writes a file below the folder, making the folders between.
inline std::filesystem::path put(const TemporaryFolder& folder, const std::string& name,
                                 std::string_view text) {
  std::filesystem::path file = folder / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

inline std::filesystem::path put(const TemporaryFolder& folder, const std::string& name,
                                 std::span<const uint8_t> bytes) {
  return put(folder, name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// An image of one colour.
inline io::Image plain_image(int width, int height, uint8_t r, uint8_t g, uint8_t b) {
  const auto pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  io::Image image{width, height, std::vector<uint8_t>(pixels * 3, r)};
  for (size_t i = 0; i < pixels; ++i) {
    image.rgb[i * 3 + 1] = g;
    image.rgb[i * 3 + 2] = b;
  }
  return image;
}

}  // namespace xf::test
