#pragma once
// Files that appear whole or not at all.

#include <atomic>
#include <filesystem>
#include <string_view>

#include "engine/core/error.h"

namespace xf::io {

/// The error of a failed write to `target`: the text of errno value `error` and what to do about it.
[[nodiscard]] WriteError write_failure(const std::filesystem::path& target, int error);

/// All of `bytes` to an open file, however many calls that takes. Throws the write_failure() of `target`.
void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& target);

/// After a rename: the new name too survives a crash. Some file systems cannot do that; the file is whole.
void sync_folder_of(const std::filesystem::path& file);

/// Writes go to a temporary file in the target's folder; commit() makes it durable and renames it onto the
/// target, so that a reader, a crash or a full disk never meets half a file. Without commit() the
/// destructor removes the temporary and a file that was there before stays as it was. What a process that was
/// killed left behind is removed by the next that writes the same file.
class AtomicFile {
 public:
  /// Creates the temporary. Throws WriteError naming `target` when the folder is missing or may not be
  /// written, or when the target is there and is no regular file.
  explicit AtomicFile(const std::filesystem::path& target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  [[nodiscard]] const std::filesystem::path& target() const { return target_; }
  /// For libraries that open a file by name. They must have closed it before commit().
  [[nodiscard]] const std::filesystem::path& temporary() const { return temporary_; }

  /// Appends. Throws WriteError.
  void write(std::string_view bytes);
  /// fsync, rename, fsync of the folder. Throws WriteError; the target is then unchanged.
  void commit();

 private:
  void discard() noexcept;
  void enlist() noexcept;
  void delist() noexcept;

  std::filesystem::path target_, destination_, temporary_;
  int descriptor_ = -1;
  std::atomic<const char*>* listed_ = nullptr;
};

/// Removes the temporaries of all files that are being written: for a signal handler that ends the process,
/// and async-signal-safe. Whoever writes one of them does not go on.
void remove_temporaries() noexcept;

/// The whole of `bytes` as the file `target`, atomically. Throws WriteError.
void write_file(const std::filesystem::path& target, std::string_view bytes);

/// Makes a folder and those above it that are not there. Throws WriteError.
void make_folder(const std::filesystem::path& folder);

}  // namespace xf::io
