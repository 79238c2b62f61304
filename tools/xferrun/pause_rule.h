#pragma once
// When a training puts down where it is, and when it ends there.

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "engine/train/trainer.h"

namespace xf::tool {

/// How far a training is.
struct TrainingProgress {
  int epoch, epochs;                  ///< from 1
  int64_t images_done, images_total;  ///< of the epoch
  double loss;                        ///< of the last step; at the end of an epoch, of all of it
  const EpochMetrics* ended;          ///< at the end of an epoch; else null
};

struct SavingOptions {
  bool resume = false;
  double checkpoint_minutes = 10;  ///< 0: at the end of each epoch alone
  double max_minutes = 0;          ///< since `started`; 0: as long as it takes
  int keep = 1;                    ///< checkpoints
  /// What to do after a stop.
  std::string go_on = "the same command with --resume goes on there";
  /// The program that a training is part of: told after each step and each epoch, says whether to go on.
  /// Without one a bar is shown on stderr, and signals stop the training.
  std::function<bool(const TrainingProgress&)> host;
  /// From when max_minutes counts; of the program: its start.
  std::optional<std::chrono::steady_clock::time_point> started;
};

/// --resume, --checkpoint-minutes, --max-minutes, --keep.
void add_saving_options(CLI::App& command, SavingOptions& o);

class PauseRule {
 public:
  /// `stop`: whether somebody wants the training to stop.
  PauseRule(const SavingOptions& options, std::function<bool()> stop);
  /// Asked after each update. `saving_seconds`: what putting it down takes.
  Pause ask(double saving_seconds);

 private:
  using Clock = std::chrono::steady_clock;
  const SavingOptions& options_;
  std::function<bool()> stop_;
  Clock::time_point asked_, saved_;
  double longest_ = 0;  // between two questions: seconds
};

}  // namespace xf::tool
