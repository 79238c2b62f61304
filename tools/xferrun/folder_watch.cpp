#include "tools/xferrun/folder_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/core/error.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kMostNames = 4096;
constexpr auto kQuiet = seconds(2), kQuietWriter = seconds(60);
constexpr auto kLookEvery = seconds(10);

bool is_picture(const std::string& name) {
  if (name.empty() || name.front() == '.') return false;
  std::string end = fs::path(name).extension().string();
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return std::tolower(c); });
  return end == ".png" || end == ".jpg" || end == ".jpeg" || end == ".bmp";
}

}  // namespace

FolderWatch::FolderWatch(fs::path folder, DoneList& done, const StopSignal& stop)
    : folder_(std::move(folder)), done_(done), stop_(stop), next_look_(Clock::now()) {
  std::error_code error;
  if (!fs::is_directory(folder_, error))
    throw MissingInputError(folder_.string(), fs::exists(folder_, error) ? "is no folder" : "does not exist",
                            "Name a folder that pictures arrive in.");
  inotify_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_ < 0)
    throw UnavailableError("inotify", std::generic_category().message(errno), "Stop other watchers.");
  constexpr uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                               IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (::inotify_add_watch(inotify_, folder_.c_str(), kEvents) < 0) {
    const std::string why = std::generic_category().message(errno);
    ::close(inotify_);
    throw UnavailableError(folder_.string(), "cannot be watched: " + why, "Stop other watchers.");
  }
}

FolderWatch::~FolderWatch() { ::close(inotify_); }

std::optional<std::string> FolderWatch::next() {
  while (!stop_.requested()) {
    read_events();
    if (Clock::now() >= next_look_) look_through();
    settle();
    if (ready_.empty()) {
      wait();
      continue;
    }
    const std::string name = std::move(ready_.front());
    ready_.pop_front();
    waiting_.erase(name);
    if (!found_.contains(name)) return path_of(name);  // else it is being written again: it will come back
  }
  return std::nullopt;
}

/// Where there is no room, a later look finds it.
void FolderWatch::add_ready(const std::string& name) {
  found_.erase(name);
  if (ready_.size() >= kMostNames) {
    next_look_ = Clock::now() + kQuiet;
  } else if (waiting_.insert(name).second) {
    ready_.push_back(name);
  }
}

void FolderWatch::look_through() {
  const auto now = Clock::now();
  next_look_ = now + kLookEvery;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!is_picture(name) || waiting_.contains(name) || found_.contains(name)) continue;
    const auto version = version_of(path_of(name));
    if (!version || done_.has(path_of(name), *version)) continue;
    if (found_.size() >= kMostNames) {
      next_look_ = now + kQuiet;
      return;
    }
    found_[name] = {*version, now, kQuiet};
  }
  if (error) throw MissingInputError(folder_.string(), "cannot be read: " + error.message());
}

/// What was found and has not changed for a while is whole.
void FolderWatch::settle() {
  const auto now = Clock::now();
  for (auto it = found_.begin(); it != found_.end();) {
    auto& [name, found] = *it++;
    if (now - found.since < found.quiet) continue;
    const auto version = version_of(path_of(name));
    if (!version) {
      found_.erase(name);
    } else if (*version != found.version) {
      found = {*version, now, found.quiet};
    } else if (ready_.size() < kMostNames) {
      add_ready(std::string(name));
    }
  }
}

void FolderWatch::read_events() {
  alignas(inotify_event) std::array<char, 65536> bytes{};
  while (ready_.size() < kMostNames) {  // else they wait in the kernel, which tells when it forgets some
    const ssize_t count = ::read(inotify_, bytes.data(), bytes.size());
    if (count <= 0) return;
    for (const char* at = bytes.data(); at < bytes.data() + count;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0)
        throw MissingInputError(folder_.string(), "is gone", "Watch a folder that stays.");
      if ((event->mask & IN_Q_OVERFLOW) != 0) next_look_ = Clock::now();
      const std::string name = event->len > 0 ? event->name : "";
      if (!is_picture(name) || (event->mask & IN_ISDIR) != 0) continue;
      if ((event->mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
        found_.erase(name);
        done_.forget(path_of(name));
      } else if ((event->mask & (IN_CREATE | IN_MODIFY)) != 0) {
        if (found_.size() < kMostNames) found_[name] = {{}, Clock::now(), kQuietWriter};
      } else {
        add_ready(name);
      }
    }
  }
}

void FolderWatch::wait() {
  auto until = next_look_;
  for (const auto& [name, found] : found_) until = std::min(until, found.since + found.quiet);
  const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count() + 1;
  std::array<pollfd, 2> waited = {{{inotify_, POLLIN, 0}, {stop_.descriptor(), POLLIN, 0}}};
  ::poll(waited.data(), waited.size(), static_cast<int>(std::clamp<int64_t>(left, 0, 60000)));
}

}  // namespace xf::tool
