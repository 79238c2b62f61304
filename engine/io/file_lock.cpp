#include "engine/io/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"

namespace xf::io {

namespace {

std::string host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this host";
}

std::string holder(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t length = ::pread(descriptor, text.data(), text.size() - 1, 0);
  return length > 0 ? std::string(text.data(), static_cast<size_t>(length)) : "another process";
}

int open_lock(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw write_failure(file, errno);
  return descriptor;
}

/// 0, or the errno of what kept it from having the lock.
int lock(int descriptor, int flags) {
  int error = 0;
  do error = ::flock(descriptor, LOCK_EX | flags) == 0 ? 0 : errno;
  while (error == EINTR);
  return error;
}

/// The holder's name into the file; or a warning where `error` says that there are no locks.
void settle(int descriptor, const std::filesystem::path& file, int error) {
  if (error != 0) {
    log::warning("{}: its file system has no locks ({}): start no second process that writes there",
                 file.parent_path().string(), std::generic_category().message(error));
    return;
  }
  const std::string text = fmt::format("process {} on {}", ::getpid(), host());
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, text.data(), text.size(), 0) < 0)
    return;  // a full disk: the lock holds, nameless
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file) : descriptor_(open_lock(file)) {
  const int error = lock(descriptor_, LOCK_NB);
  if (error == EWOULDBLOCK) {
    const std::string who = holder(descriptor_);
    ::close(descriptor_);
    throw OutputExistsError(file.parent_path().string(), fmt::format("{} is writing there", who),
                            "wait for it, end it, or name another folder");
  }
  settle(descriptor_, file, error);
}

FileLock::FileLock(const std::filesystem::path& file, const std::function<void()>& before_waiting)
    : descriptor_(open_lock(file)) {
  int error = lock(descriptor_, LOCK_NB);
  if (error == EWOULDBLOCK) {
    before_waiting();
    error = lock(descriptor_, 0);
  }
  settle(descriptor_, file, error);
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace xf::io
