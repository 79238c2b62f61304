#pragma once
// One writer at a time.

#include <filesystem>
#include <functional>

namespace xf::io {

/// A lock that its holder has as long as it lives, and its process at the longest: what a process that was
/// killed held is free. The file stays and says who took it last.
class FileLock {
 public:
  /// Takes it. Throws OutputExistsError, which names the process that has it, and WriteError where the file
  /// cannot be made. On a file system without locks a warning is logged, and nothing guards.
  explicit FileLock(const std::filesystem::path& file);
  /// The same, but waits for it where another process has it, once `before_waiting` was called.
  FileLock(const std::filesystem::path& file, const std::function<void()>& before_waiting);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int descriptor_;
};

}  // namespace xf::io
