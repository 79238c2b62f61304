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

}  // namespace

FileLock::FileLock(const std::filesystem::path& file)
    : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw write_failure(file, errno);
  const std::string folder = file.parent_path().string();
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EWOULDBLOCK) {
      const std::string who = holder(descriptor_);
      ::close(descriptor_);
      throw OutputExistsError(folder, fmt::format("{} is writing there", who),
                              "wait for it, end it, or name another folder");
    }
    log::warning("{}: its file system has no locks ({}): start no second process that writes there", folder,
                 std::generic_category().message(error));
    return;
  }
  const std::string text = fmt::format("process {} on {}", ::getpid(), host());
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, text.data(), text.size(), 0) < 0)
    return;  // a full disk: the lock holds, nameless
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace xf::io
