#pragma once
// Published weight files: where they are, and, known by their hash, what they do not say about themselves.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "models/dialect.h"
#include "weights/tables/keras.h"

namespace xf::weights {

struct OfficialFile {
  std::string_view network;
  KerasNames names;          ///< which generation of the network
  std::string_view variant;  ///< "with top" or "without top"
  std::string_view url;
  int64_t bytes;
  std::string_view md5;
  Preprocess preprocess;
  std::string_view licence;

  /// The last part of the URL. Both generations of ResNet50 have the same names.
  [[nodiscard]] std::string_view file_name() const;
};

/// The ImageNet weights of keras.applications.
std::span<const OfficialFile> official_files();

}  // namespace xf::weights
