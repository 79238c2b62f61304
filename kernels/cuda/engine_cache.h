#pragma once
// Which engine was the fastest for a problem, remembered on disk: timing them takes minutes for a network.

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace xf::cuda {

/// A JSON file of names by problem, for every GPU and library version that used it:
///   {"format": 1, "engines": {"NVIDIA H100, cuDNN 9.19.0": {"forward bf16 x …": "eng62_k2=0"}}}
/// It may be deleted at any time. A file that cannot be read as that is ignored, and one that cannot be
/// written is not written: each with one warning.
class EngineCache {
 public:
  /// $XDG_CACHE_HOME/xferrun/engines.json, or in ~/.cache; empty where there is neither.
  static std::filesystem::path default_path();

  /// `device` names GPU and library version. An empty `path` remembers within the process alone.
  EngineCache(std::filesystem::path path, std::string device);

  [[nodiscard]] std::optional<std::string> find(const std::string& problem) const;
  /// Written at once, together with what other processes have written since.
  void store(const std::string& problem, const std::string& engine);

 private:
  std::filesystem::path path_;
  std::string device_;
  std::map<std::string, std::string> engines_;
  bool writable_ = true;
};

}  // namespace xf::cuda
