#pragma once
// Pictures as they appear in a folder.

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "tools/xferrun/done_list.h"
#include "tools/xferrun/path_source.h"
#include "tools/xferrun/stop_signal.h"

namespace xf::tool {

/// Gives each image file (.png, .jpg, .jpeg, .bmp; not hidden) of a folder once it is whole: when a writer
/// closes it, when it is moved there, or when it has not changed for two seconds, of one that is seen to be
/// written for a minute. The folder is looked through at the start, every ten seconds and whenever the kernel
/// could not keep up, so that none is missed, on network file systems neither; files that are done are passed
/// over. Some thousand names at most wait here.
class FolderWatch : public PathSource {
 public:
  /// Throws MissingInputError where there is no such folder, UnavailableError where it cannot be watched.
  FolderWatch(std::filesystem::path folder, DoneList& done, const StopSignal& stop);
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;
  ~FolderWatch() override;

  /// Never ends but by a stop. Throws MissingInputError when the folder goes away.
  std::optional<std::string> next() override;

 private:
  using Clock = std::chrono::steady_clock;
  /// A file that nobody was seen to finish: since when it looks like this, and how long it has to.
  struct Found {
    FileVersion version;
    Clock::time_point since;
    std::chrono::seconds quiet;
  };

  [[nodiscard]] std::string path_of(const std::string& name) const { return (folder_ / name).string(); }
  void add_ready(const std::string& name);
  void look_through();
  void settle();
  void read_events();
  void wait();

  std::filesystem::path folder_;
  DoneList& done_;
  const StopSignal& stop_;
  int inotify_ = -1;
  std::deque<std::string> ready_;
  std::set<std::string> waiting_;  ///< the names in ready_
  std::map<std::string, Found> found_;
  Clock::time_point next_look_;
};

}  // namespace xf::tool
