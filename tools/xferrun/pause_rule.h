#pragma once
// When a training puts down where it is, and when it ends there.

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

#include "engine/train/trainer.h"
#include "tools/xferrun/stop_signal.h"

namespace xf::tool {

struct SavingOptions {
  bool resume = false;
  double checkpoint_minutes = 10;  ///< 0: at the end of each epoch alone
  double max_minutes = 0;          ///< of the whole process; 0: as long as it takes
  int keep = 1;                    ///< checkpoints
  /// What to do after a stop.
  std::string go_on = "the same command with --resume goes on there";
};

/// --resume, --checkpoint-minutes, --max-minutes, --keep.
void add_saving_options(CLI::App& command, SavingOptions& o);

class PauseRule {
 public:
  PauseRule(const SavingOptions& options, const StopSignal& signal);
  /// Asked after each update. `saving_seconds`: what putting it down takes.
  Pause ask(double saving_seconds);

 private:
  using Clock = std::chrono::steady_clock;
  const SavingOptions& options_;
  const StopSignal& signal_;
  Clock::time_point asked_, saved_;
  double longest_ = 0;  // between two updates, a validation included: seconds
};

}  // namespace xf::tool
