#include "tools/xferrun/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "tools/xferrun/world.h"

namespace xf::tool {

namespace {
using Clock = std::chrono::steady_clock;
double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

/// An unwritable stderr is no reason to stop.
void show(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

std::string clock_text(double s) {
  const auto total = static_cast<int64_t>(s + 0.5);
  return fmt::format("{}:{:02}", total / 60, total % 60);
}
}  // namespace

Progress::Progress(std::string what, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      shown_(start_) {}

Progress::~Progress() { finish(); }

void Progress::update(int64_t done, int64_t total, const std::string& note) {
  if (!is_writer()) return;
  const auto now = Clock::now();
  const double interval = terminal_ ? 0.1 : 5.0;
  if (done < total && seconds(now - shown_) < interval) return;
  // A loop that is over before the first plain line was due needs none.
  if (!terminal_ && seconds(now - start_) < interval) return;
  shown_ = now;
  const double elapsed = seconds(now - start_), rate = elapsed > 0 ? static_cast<double>(done) / elapsed : 0;
  const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  if (!terminal_) {
    show(fmt::format("{}: {}/{} {}, {:.1f} {}/s, {} left{}\n", what_, done, total, unit_, rate, unit_,
                     clock_text(left), note));
    return;
  }
  constexpr int kWidth = 30;
  const int full = total > 0 ? static_cast<int>(kWidth * done / total) : kWidth;
  show(fmt::format("\r{} [{:=<{}}{:<{}}] {}/{} {:.1f} {}/s {} left{}\033[K", what_, "", full, "",
                   kWidth - full, done, total, rate, unit_, clock_text(left), note));
  open_ = true;
}

void Progress::finish() {
  if (open_) show("\n");
  open_ = false;
}

}  // namespace xf::tool
