#include "weights/fetch.h"

#include <fmt/format.h>

#include "engine/core/error.h"
#include "engine/io/cache_folder.h"
#include "engine/io/download.h"
#include "weights/md5.h"

namespace xf::weights {
namespace fs = std::filesystem;

std::string fetch_name(const OfficialFile& file) {
  return fmt::format("{}{}{}", file.network, file.names == KerasNames::v0_2 ? "_v0.2" : "",
                     file.variant == "without top" ? "_notop" : "");
}

const OfficialFile& find_official(std::string_view name) {
  std::string known;
  for (const OfficialFile& f : official_files()) {
    const std::string its = fetch_name(f);
    if (its == name) return f;
    known += (known.empty() ? "" : ", ") + its;
  }
  throw UsageError(std::string(name), "is no official weight file known here", "Name one of: " + known + ".");
}

fs::path cached_path(const OfficialFile& file) {
  const fs::path cache = io::cache_folder();
  if (cache.empty())
    throw UnavailableError("the cache folder", "neither XDG_CACHE_HOME nor HOME says where it is",
                           "Set XDG_CACHE_HOME to a folder that you may write to.");
  return cache / "weights" / fetch_name(file) / file.file_name();
}

std::string address(const OfficialFile& file, const std::string& mirror) {
  if (mirror.empty()) return std::string(file.url);
  return fmt::format("{}{}{}", mirror, mirror.ends_with('/') ? "" : "/", file.file_name());
}

fs::path fetch(const OfficialFile& file, const std::string& mirror,
               const std::function<void(uint64_t)>& progress) {
  fs::path target = cached_path(file);
  const std::string url = address(file, mirror);
  const auto check = [&](const fs::path& path) {
    const std::string sum = md5_of_file(path);
    if (sum != file.md5)
      throw DataError(
          path == target ? path.string() : url,
          fmt::format("its MD5 is {} instead of {}: it is another file, or damaged", sum, file.md5),
          "Name another --mirror.");
  };
  io::download({url, target, static_cast<uint64_t>(file.bytes), check, progress});
  return target;
}

}  // namespace xf::weights
