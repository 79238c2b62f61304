#pragma once
// The options of fine-tune, as they stand on the command line.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/xferrun/data_options.h"
#include "tools/xferrun/pause_rule.h"
#include "tools/xferrun/session.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

struct FineTuneOptions {
  DeviceOptions device;
  ViewOptions view;
  SavingOptions saving;
  std::string model, weights, data, out, dialect, preprocess, input_size, head, split_file;
  bool from_scratch = false, force = false, nesterov = false, class_weights = false;
  int epochs = 10, accumulate = 1, patience = 0, folds = 0, seeds = 0;
  int64_t batch = 16;
  std::string optimizer = "sgd", schedule = "constant", on_bad_image = "fail";
  std::optional<double> lr, warmup;  ///< where nothing is given, the network decides: settle_rates()
  double head_lr_factor = 1, momentum = 0.9, weight_decay = 0, clip_norm = 0, ema = 0, label_smoothing = 0;
  double step_factor = 0.1, bn_momentum = 0.1;
  int step_epochs = 30;
  std::optional<double> val_fraction, test_fraction;  ///< given, they replace the data's own parts
  uint64_t seed = 0;
  std::vector<std::string> freeze, augment;
};

void add_options(CLI::App& command, FineTuneOptions& o);

/// Gives lr and warmup their defaults: 0.01 and none; for pretrained weights without batch normalisation,
/// whose activations a step of that size would blow up, 0.0002 and one epoch.
void settle_rates(FineTuneOptions& o, TrainingRequest& request);

/// What the options say about training, but for its rates: settle_rates(); the dialect and the weights are
/// settled elsewhere.
TrainingRequest training_request(const FineTuneOptions& o);

/// Every option as resolved, for config.json.
nlohmann::json to_json(const FineTuneOptions& o);

}  // namespace xf::tool
