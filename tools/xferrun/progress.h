#pragma once
// How far a long loop has come, on stderr: a bar on a terminal, a plain line every few seconds elsewhere.

#include <chrono>
#include <cstdint>
#include <string>

namespace xf::tool {

class Progress {
 public:
  /// `what` stands before the bar; `unit` is counted ("images").
  Progress(std::string what, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `note` stands behind: the loss, say.
  void update(int64_t done, int64_t total, const std::string& note);
  /// Ends the line, so that other output can follow.
  void finish();

 private:
  std::string what_, unit_;
  bool terminal_, open_ = false;
  std::chrono::steady_clock::time_point start_, shown_;
};

}  // namespace xf::tool
