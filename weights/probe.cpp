#include <algorithm>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "models/registry.h"
#include "weights/import.h"
#include "weights/md5.h"
#include "weights/recognise.h"

namespace xf::weights {
namespace {

/// The official file that this is. Says so when it only looks like one.
const OfficialFile* official_by_hash(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  const std::span<const OfficialFile> files = official_files();
  const auto may_be = [&](const OfficialFile& f) { return f.file_name() == name || f.bytes == bytes; };
  if (std::none_of(files.begin(), files.end(), may_be)) return nullptr;
  const std::string hash = md5_of_file(path);
  for (const OfficialFile& f : files) {
    if (f.md5 == hash) return &f;
  }
  const auto named =
      std::find_if(files.begin(), files.end(), [&](const auto& f) { return f.file_name() == name; });
  if (named != files.end()) {
    log::warning("{}: has the name of an official file and other content: {} bytes of MD5 {}, not {} of {}",
                 path.string(), bytes, hash, named->bytes, named->md5);
  }
  return nullptr;
}

bool in_registry(std::string_view network) {
  const std::vector<std::string_view> names = model_names();
  return std::find(names.begin(), names.end(), network) != names.end();
}

/// A file of this program says which network it holds; of any other the layers tell.
std::optional<Recognised> recognise(const Listing& listing, const std::optional<RunInfo>& run) {
  if (!run) return recognise(listing);
  if (!in_registry(run->network)) return std::nullopt;
  return Recognised{run->network, recognise_spelling(listing, run->network)};
}

}  // namespace

FileInfo probe(const std::filesystem::path& path) {
  const hdf5::File file(path);
  const Listing listing = read_listing(file);
  FileInfo info{path, listing.format, listing.writer, {}, {}, false, {}, {}, nullptr, find_run_info(file)};
  const auto recognised = recognise(listing, info.run);
  if (!recognised) {
    info.network = info.run ? info.run->network : recognise_stranger(listing);
    return info;
  }
  info.network = recognised->network;
  const DialectOfTensors seen = dialect_of_tensors(listing, *recognised);
  info.top_classes = seen.top_classes;
  if (info.run) {
    info.dialect = info.run->dialect;
    if (info.dialect->preprocess) info.preprocess_source = "the file";
    return info;
  }
  info.dialect = seen.dialect;
  info.stride_unknown = seen.stride_unknown;
  info.official = official_by_hash(path);
  if (info.official != nullptr && info.official->network == *info.network) {
    info.dialect->preprocess = info.official->preprocess;
    info.preprocess_source = "its hash (an official file)";
  }
  return info;
}

void require_network(const std::filesystem::path& file, const std::optional<std::string>& found,
                     std::string_view network) {
  if (!found || *found == network) return;
  throw DataError(file.string(), fmt::format("holds the weights of {}, not of {}", *found, network),
                  fmt::format("Name weights of {}, or another --model.", network));
}

Dialect with_family(const FileInfo& file, Family family) {
  Dialect d = family_dialect(family, *file.network);
  d.bn_gamma = file.dialect->bn_gamma;
  d.conv_bias = file.dialect->conv_bias;
  d.preprocess = file.dialect->preprocess;
  return d;
}

}  // namespace xf::weights
