#pragma once
// Official weight files by name, from where they are published or from a mirror.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "weights/tables/official.h"

namespace xf::weights {

/// What `weights fetch` calls an official file: the network, "_v0.2" for ResNet50's first generation, and
/// "_notop" without its classifier: "vgg16_notop", "resnet50_v0.2".
std::string fetch_name(const OfficialFile& file);

/// Throws UsageError listing the names.
const OfficialFile& find_official(std::string_view fetch_name);

/// Where the file lies once it was fetched: its own name, in a folder called fetch_name() of the cache
/// (engine/io/cache_folder.h). Throws UnavailableError where there is no place for a cache.
std::filesystem::path cached_path(const OfficialFile& file);

/// The file's address below `mirror`, its official one where that is empty.
std::string address(const OfficialFile& file, const std::string& mirror);

/// Puts the file into the cache, unless it is there already, and returns its path; either way its size and
/// MD5 are those of the table. `progress` hears how many bytes are here. Throws as io::download() does.
std::filesystem::path fetch(const OfficialFile& file, const std::string& mirror,
                            const std::function<void(uint64_t done)>& progress);

}  // namespace xf::weights
