#include "tools/xferrun/pause_rule.h"

#include <algorithm>

#include "tools/xferrun/command_line.h"

namespace xf::tool {

namespace {

const auto kProcessStart = std::chrono::steady_clock::now();

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void add_saving_options(CLI::App& command, SavingOptions& o) {
  command.add_flag("--resume", o.resume,
                   "go on where the training in --out was stopped, with the options that it was begun with; "
                   "begin\n"
                   "where there is nothing yet");
  command
      .add_option("--checkpoint-minutes", o.checkpoint_minutes,
                  "write last.h5 so often, and at the end of each epoch; 0: then alone")
      ->check(between(0, 1e6))
      ->capture_default_str();
  command
      .add_option("--max-minutes", o.max_minutes,
                  "save and end with exit code 75 before so many have passed; 0: as long as it takes")
      ->check(between(0, 1e6));
  command.add_option("--keep", o.keep, "checkpoints: last.h5, last-1.h5, …")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

PauseRule::PauseRule(const SavingOptions& options, std::function<bool()> stop)
    : options_(options), stop_(std::move(stop)), asked_(Clock::now()), saved_(asked_) {}

Pause PauseRule::ask(double saving_seconds) {
  constexpr double kMinute = 60;
  const Clock::time_point now = Clock::now();
  longest_ = std::max(longest_, seconds_between(asked_, now));
  asked_ = now;
  if (stop_()) return Pause::stop;
  // Once more as long as the longest wait for an update so far, and the saving, with as much again to spare.
  const double needed = 2 * (longest_ + saving_seconds);
  if (options_.max_minutes > 0 && seconds_between(options_.started.value_or(kProcessStart), now) + needed >
                                      kMinute * options_.max_minutes)
    return Pause::stop;
  if (options_.checkpoint_minutes == 0 ||
      seconds_between(saved_, now) < kMinute * options_.checkpoint_minutes)
    return Pause::no;
  saved_ = now;
  return Pause::save;
}

}  // namespace xf::tool
