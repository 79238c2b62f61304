// The public Gravity Spy data set: its HDF5 file and its metadata, from Zenodo or from a mirror.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"
#include "engine/io/cache_folder.h"
#include "engine/io/download.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/data_commands.h"
#include "tools/xferrun/progress.h"
#include "weights/md5.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

/// A record of Zenodo. The files' sizes and hashes are not listed here: the record tells them.
struct PublicData {
  std::string_view name, record, images, metadata;
};

constexpr std::array<PublicData, 2> kPublic{
    {{"gravityspy-v1.0", "1476156", "trainingsetv1d0.h5", "trainingset_v1d0_metadata.csv"},
     {"gravityspy-v1.1", "1476551", "trainingsetv1d1.h5", "trainingset_v1d1_metadata.csv"}}};
constexpr std::string_view kRecordFile = "record.json";
constexpr size_t kRecordLimit = 1000000;

struct FetchOptions {
  std::string name, mirror;
  bool json = false;
};

const PublicData& find_public(const std::string& name) {
  std::string known;
  for (const PublicData& d : kPublic) {
    if (d.name == name) return d;
    known += (known.empty() ? "" : ", ") + std::string(d.name);
  }
  throw UsageError(name, "is no public data set known here", "Name one of: " + known + ".");
}

fs::path folder_of(const PublicData& data) {
  const fs::path cache = io::cache_folder();
  if (cache.empty())
    throw UnavailableError("the cache folder", "neither XDG_CACHE_HOME nor HOME says where it is",
                           "Set XDG_CACHE_HOME to a folder that you may write to.");
  return cache / "data" / data.name;
}

/// Zenodo's own address, or that of the same name in the mirror's folder.
std::string address(const PublicData& data, const std::string& mirror, std::string_view file) {
  if (!mirror.empty()) return fmt::format("{}{}{}", mirror, mirror.ends_with('/') ? "" : "/", file);
  if (file == kRecordFile) return fmt::format("https://zenodo.org/api/records/{}", data.record);
  return fmt::format("https://zenodo.org/records/{}/files/{}", data.record, file);
}

/// What the record says of a file.
struct FileFacts {
  uint64_t bytes = 0;
  std::string md5;
};

FileFacts facts_of(const std::string& record, const std::string& where, std::string_view file) {
  constexpr std::string_view md5 = "md5:";
  const auto json = nlohmann::json::parse(record, nullptr, false);
  const auto files =
      json.is_object() ? json.value("files", nlohmann::json::array()) : nlohmann::json::array();
  for (const auto& f : files) {
    if (!f.is_object() || f.value("key", nlohmann::json()) != std::string(file)) continue;
    const nlohmann::json size = f.value("size", nlohmann::json()),
                         sum = f.value("checksum", nlohmann::json());
    if (!size.is_number_unsigned() || !sum.is_string() || !sum.get<std::string>().starts_with(md5)) break;
    return {size.get<uint64_t>(), sum.get<std::string>().substr(md5.size())};
  }
  throw DataError(where, fmt::format("is no record of Zenodo that tells size and MD5 of {}", file),
                  "Name another --mirror.");
}

struct Record {
  std::string text, where;
};

/// That of an earlier fetch, which makes the files checkable without a network, or the server's.
Record record_of(const PublicData& data, const std::string& mirror) {
  const fs::path kept = folder_of(data) / kRecordFile;
  if (std::ifstream in(kept, std::ios::binary); in)
    return {{std::istreambuf_iterator<char>(in), {}}, kept.string()};
  const std::string url = address(data, mirror, kRecordFile);
  log::info("sizes and MD5 of {} are those of {}", data.name, url);
  return {io::fetch_text(url, kRecordLimit), url};
}

fs::path fetch(const PublicData& data, const std::string& mirror, std::string_view file,
               const FileFacts& facts) {
  constexpr uint64_t kMegabyte = 1000000;
  fs::path target = folder_of(data) / file;
  const std::string url = address(data, mirror, file);
  std::optional<Progress> progress;
  const auto check = [&](const fs::path& path) {
    const std::string sum = weights::md5_of_file(path);
    if (sum != facts.md5)
      throw DataError(
          path == target ? path.string() : url,
          fmt::format("its MD5 is {} instead of {}: it is another file, or damaged", sum, facts.md5),
          "Name another --mirror.");
  };
  io::download({url, target, facts.bytes, check, [&](uint64_t done) {
                  if (!progress) progress.emplace(fmt::format("fetching {}", file), "MB");
                  progress->update(static_cast<int64_t>(done / kMegabyte),
                                   static_cast<int64_t>(facts.bytes / kMegabyte), "");
                }});
  return target;
}

void run(const FetchOptions& o) {
  const PublicData& data = find_public(o.name);
  const Record record = record_of(data, o.mirror);
  const FileFacts metadata_facts = facts_of(record.text, record.where, data.metadata);
  const FileFacts images_facts = facts_of(record.text, record.where, data.images);
  const fs::path metadata = fetch(data, o.mirror, data.metadata, metadata_facts);
  const fs::path images = fetch(data, o.mirror, data.images, images_facts);
  io::write_file(folder_of(data) / kRecordFile, record.text);
  if (!o.json) {
    print_line(images.string());
    return;
  }
  print_line(json_text(nlohmann::ordered_json{{"name", o.name},
                                              {"path", images.string()},
                                              {"metadata", metadata.string()},
                                              {"url", address(data, o.mirror, data.images)},
                                              {"bytes", images_facts.bytes},
                                              {"md5", images_facts.md5}}));
}

}  // namespace

void add_data_fetch(CLI::App& parent) {
  CLI::App& command = add_command(
      parent, "fetch",
      "fetch the public Gravity Spy data set into the cache, check it, and print where it is (3.3 GB)",
      "xferrun data inspect \"$(xferrun data fetch gravityspy-v1.1)\"");
  const auto o = std::make_shared<FetchOptions>();
  command.add_option("name", o->name, "gravityspy-v1.0 or gravityspy-v1.1")->required();
  command.add_option(
      "--mirror", o->mirror,
      "address of a folder that has the files under their official names, and Zenodo's record of\n"
      "them (https://zenodo.org/api/records/1476551 of v1.1) as record.json");
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
