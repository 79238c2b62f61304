#pragma once
// One training from data to RUN folder: what fine-tune does once, per fold, and demo twice.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/data/augment.h"
#include "engine/data/dataset.h"
#include "engine/train/metrics.h"
#include "engine/train/trainer.h"
#include "tools/xferrun/run_folder.h"
#include "tools/xferrun/session.h"

namespace xf::tool {

struct TrainingRequest {
  std::string model;
  Dialect dialect;                ///< preprocessing settled
  std::filesystem::path weights;  ///< empty: from scratch
  float bn_momentum = 0.1F;
  std::vector<std::string> freeze;
  bool class_weights = false;
  TrainOptions train;
  Augment augment;
};

struct TrainingResult {
  EpochMetrics best;
  std::vector<Prediction> test;  ///< empty without a test part; samples are indices into the data
};

/// Trains on the samples of Part::train, chooses by Part::val, writes metrics.jsonl and best.h5 into the
/// folder, and at the very end looks at Part::test with the best weights. `heading` is put before the epochs'
/// log lines.
TrainingResult run_training(Session& session, const TrainingRequest& request, const Dataset& data,
                            const std::vector<Part>& parts, const RunFolder& folder,
                            const std::string& heading);

/// The samples of one part with their indices in the data.
struct PartSamples {
  std::vector<Sample> samples;
  std::vector<int64_t> indices;
};
PartSamples samples_of(const Dataset& data, const std::vector<Part>& parts, Part part);

/// A loader over samples in order, padded, as evaluation wants it.
LoaderOptions evaluation_loader(const Dialect& dialect, int64_t batch);

}  // namespace xf::tool
