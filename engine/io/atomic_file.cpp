#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

namespace xf::io {
namespace fs = std::filesystem;

WriteError write_failure(const fs::path& target, int error) {
  std::string remedy;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: remedy = "Free some space there, or name a folder on another file system."; break;
    case EACCES:
    case EPERM:
    case EROFS: remedy = "Name a folder that you may write to."; break;
    case ENOENT:
    case ENOTDIR:
      remedy = fmt::format("Make the folder {} first.", fs::absolute(target).parent_path().string());
      break;
    default: break;
  }
  const std::string reason = std::generic_category().message(error);
  return {target.string(), fmt::format("cannot be written: {}", reason), remedy};
}

namespace {

constexpr std::string_view kSuffix = ".partial";

/// Names of the temporaries in use. Should there ever be more at once, the next writer removes those.
std::array<std::atomic<const char*>, 16> temporaries{};

/// Removes temporaries whose writer is gone: its lock went with it. Where locks do not work they stay.
void remove_abandoned(const fs::path& folder, const std::string& prefix) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
    const int descriptor = ::open(entry.path().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
    ::close(descriptor);
  }
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& target) : target_(target), destination_(target) {
  std::error_code ignored;
  // A rename onto a link would replace the link, not the file that it names.
  if (fs::is_symlink(target, ignored)) destination_ = fs::weakly_canonical(target, ignored);
  if (fs::exists(destination_, ignored) && !fs::is_regular_file(destination_, ignored)) {
    throw WriteError(target.string(), "cannot be written: it is there and is not a regular file",
                     "Name another file.");
  }
  static std::atomic<unsigned> count{0};
  const fs::path folder = destination_.parent_path();
  const std::string prefix = fmt::format(".{}.", destination_.filename().string());
  remove_abandoned(folder, prefix);
  int error = 0;
  do {
    temporary_ = folder / fmt::format("{}{}-{}{}", prefix, ::getpid(), count++, kSuffix);
    enlist();  // first: a signal may come as soon as it is there
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    error = errno;
    if (descriptor_ < 0) delist();
  } while (descriptor_ < 0 && error == EEXIST);
  if (descriptor_ < 0) throw write_failure(target_, error);
  ::flock(descriptor_, LOCK_EX | LOCK_NB);  // says that somebody is at work here
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::enlist() noexcept {
  for (auto& slot : temporaries) {
    const char* free = nullptr;
    if (!slot.compare_exchange_strong(free, temporary_.c_str())) continue;
    listed_ = &slot;
    return;
  }
}

void AtomicFile::delist() noexcept {
  if (listed_ == nullptr) return;
  // A name that is gone was taken by remove_temporaries(): it may still be read, and the process ends.
  while (listed_->exchange(nullptr) == nullptr) ::pause();
  listed_ = nullptr;
}

void AtomicFile::discard() noexcept {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
  descriptor_ = -1;
  delist();
}

void AtomicFile::write(std::string_view bytes) { write_all(descriptor_, bytes, target_); }

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), destination_.c_str()) != 0) {
    throw write_failure(target_, errno);
  }
  delist();
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) throw write_failure(target_, errno);
  sync_folder_of(destination_);
}

void write_all(int descriptor, std::string_view bytes, const fs::path& target) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw write_failure(target, errno);
    bytes.remove_prefix(static_cast<size_t>(done));
  }
}

void sync_folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  ::fsync(directory);
  ::close(directory);
}

void remove_temporaries() noexcept {
  for (auto& slot : temporaries)
    if (const char* name = slot.exchange(nullptr)) ::unlink(name);
}

void write_file(const fs::path& target, std::string_view bytes) {
  AtomicFile file(target);
  file.write(bytes);
  file.commit();
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw write_failure(folder, error.value());
}

}  // namespace xf::io
