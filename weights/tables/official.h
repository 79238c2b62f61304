#pragma once
// Published weight files, known by their hash: what they do not say about themselves.

#include <optional>
#include <string_view>

#include "models/dialect.h"

namespace xf::weights {

struct OfficialFile {
  std::string_view md5;
  std::string_view network;
  Preprocess preprocess;
};

/// Nothing for a hash that is not known.
std::optional<OfficialFile> official_file(std::string_view md5);

}  // namespace xf::weights
