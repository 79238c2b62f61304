#include "kernels/cuda/engine_cache.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"
#include "engine/io/cache_folder.h"

namespace xf::cuda {
namespace {

constexpr int kFormat = 1;
using Engines = std::map<std::string, std::map<std::string, std::string>>;  // by device, then by problem

// What the file holds: no engines where there is none, and nothing where it is damaged or of another format.
std::optional<Engines> read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return Engines{};
  try {
    const nlohmann::json document = nlohmann::json::parse(file);
    if (document.at("format").get<int>() != kFormat) return std::nullopt;
    return document.at("engines").get<Engines>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::filesystem::path EngineCache::default_path() {
  const std::filesystem::path folder = io::cache_folder();
  return folder.empty() ? folder : folder / "engines.json";
}

EngineCache::EngineCache(std::filesystem::path path, std::string device)
    : path_(std::move(path)), device_(std::move(device)), writable_(!path_.empty()) {
  if (path_.empty()) return;
  if (std::optional<Engines> all = read(path_))
    engines_ = std::move((*all)[device_]);
  else
    log::warning("{} is damaged or of another version: engines are timed anew", path_.string());
}

std::optional<std::string> EngineCache::find(const std::string& problem) const {
  const auto it = engines_.find(problem);
  return it == engines_.end() ? std::nullopt : std::optional(it->second);
}

void EngineCache::store(const std::string& problem, const std::string& engine) {
  engines_[problem] = engine;
  if (!writable_) return;
  Engines all = read(path_).value_or(Engines{});
  all[device_].insert(engines_.begin(), engines_.end());
  all[device_][problem] = engine;
  try {
    std::error_code ignored;  // the write says what is wrong
    std::filesystem::create_directories(path_.parent_path(), ignored);
    io::write_file(path_, nlohmann::json{{"format", kFormat}, {"engines", all}}.dump(1) + "\n");
  } catch (const WriteError& e) {
    writable_ = false;
    log::warning("the fastest engines are not remembered: {}", e.what());
  }
}

}  // namespace xf::cuda
