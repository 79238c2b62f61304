#pragma once
// One training as the options of fine-tune say, for the command of that name and for demo.

#include <string>
#include <vector>

#include "tools/xferrun/fine_tune_options.h"
#include "tools/xferrun/seeds.h"
#include "tools/xferrun/training_run.h"

namespace xf::tool {

/// What the options ask for, with the dialect and the preprocessing of their weights settled (and logged),
/// and with the rates that they leave open: those are set in `o` too. Throws UsageError, and what reading the
/// weight file throws.
TrainingRequest fine_tune_request(FineTuneOptions& o);

/// Throws UsageError for options that contradict each other, or have --force remove what the training needs,
/// and OutputExistsError where --out is there and may not be replaced.
void check_fine_tune(const FineTuneOptions& o);

/// The images of --data. Throws as open_images(), and DataError and UsageError where the network cannot learn
/// from them.
Dataset fine_tune_data(const FineTuneOptions& o, const TrainingRequest& request);

/// Splits the data, makes the RUN folder, trains, and evaluates the test part where there is one. `heading`
/// is put before the epochs' log lines.
TrainingResult fine_tune(const FineTuneOptions& o, const TrainingRequest& request, const Dataset& data,
                         const std::string& heading);

/// `seeds` trainings, with --seed and the seeds after it, each in a folder of its own below --out. Each draws
/// its own split, unless the data or a file fixes it.
std::vector<SeedResult> train_seeds(const FineTuneOptions& o, const TrainingRequest& request,
                                    const Dataset& data, const std::string& heading);

}  // namespace xf::tool
