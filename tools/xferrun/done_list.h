#pragma once
// Which files a stream has dealt with, across restarts.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace xf::tool {

/// What tells a file from an earlier one of its name.
struct FileVersion {
  int64_t bytes = 0, modified_ns = 0;
  bool operator==(const FileVersion&) const = default;
};
/// None where there is no regular file.
std::optional<FileVersion> version_of(const std::string& path);

/// Paths and versions, in memory and, where it has a file, on disk: a line each, appended as it comes.
class DoneList {
 public:
  DoneList() = default;
  /// Reads the file, if it is there, and opens it for more. A last line that was cut short is forgotten.
  /// Throws DataError for a file of another kind, UsageError while another process has it open, WriteError.
  explicit DoneList(const std::filesystem::path& file);
  DoneList(const DoneList&) = delete;
  DoneList& operator=(const DoneList&) = delete;
  ~DoneList();

  [[nodiscard]] bool has(const std::string& path, const FileVersion& version) const;
  /// Throws WriteError.
  void add(const std::string& path, const FileVersion& version);
  /// Forgets it in memory: for files that are gone.
  void forget(const std::string& path) { versions_.erase(path); }

 private:
  void read();
  void append(std::string_view text) const;

  std::filesystem::path file_;
  int descriptor_ = -1;
  std::map<std::string, FileVersion> versions_;
};

}  // namespace xf::tool
