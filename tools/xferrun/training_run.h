#pragma once
// One training from data to RUN folder: what fine-tune does once, per fold, and demo twice.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/augment.h"
#include "engine/data/dataset.h"
#include "engine/train/metrics.h"
#include "engine/train/trainer.h"
#include "tools/xferrun/embedding.h"
#include "tools/xferrun/pause_rule.h"
#include "tools/xferrun/run_folder.h"
#include "tools/xferrun/session.h"
#include "tools/xferrun/stop_signal.h"
#include "weights/checkpoint.h"

namespace xf::tool {

struct TrainingRequest {
  std::string model;
  Dialect dialect;                ///< preprocessing settled
  std::filesystem::path weights;  ///< empty: from scratch
  std::string fresh;  ///< glob of parameters that the weights lack, beside the classifier's; "": none
  float bn_momentum = 0.1F;
  std::vector<std::string> freeze;
  bool class_weights = false;
  TrainOptions train;  ///< but for the precision, which is the session's
  Augment augment;
};

struct TrainingResult {
  EpochMetrics best;
  /// By the best weights, of each image, or of each glitch with View::Kind::all. Samples are indices into the
  /// data.
  std::vector<Prediction> val, test;
  Evaluation
      evaluation;  ///< of the test part, once fine_tune() measured it; without images where there is none
};

/// The samples of one part with their indices in the data.
struct PartSamples {
  std::vector<Sample> samples;
  std::vector<int64_t> indices;
};
PartSamples samples_of(const Dataset& data, const std::vector<Part>& parts, Part part);

struct RunOptions {
  std::string heading;      ///< put before the epochs' log lines
  nlohmann::json identity;  ///< for the checkpoints: resume.h
  SavingOptions saving;
};

/// A training that is ready to begin. Everything about it that can be wrong is found out when it is made,
/// before a folder is touched: weights that do not fit, layers to freeze that there are not, memory that is
/// not enough.
class TrainingRun {
 public:
  /// Builds the network, reads its weights, compiles the steps. What is given here must outlive it.
  TrainingRun(Session& session, const TrainingRequest& request, const Dataset& data,
              const std::vector<Part>& parts);
  /// Goes on from a checkpoint when it runs. Throws DataError where its tensors are not this network's.
  void restore(const weights::Checkpoint& checkpoint);
  /// Trains on the samples of Part::train, chooses by Part::val, writes metrics.jsonl, best.h5 and
  /// checkpoints into the folder, looks at Part::test with the best weights at the very end, and writes the
  /// folder's reference for images of no class; with View::Kind::all its points are glitches, each the
  /// mean_prediction() of its images. Throws DivergedError when a loss or a weight is no longer finite, and
  /// StoppedError after a signal, by the host's wish, or near the end of its time, when it has put down where
  /// it is.
  TrainingResult run(const RunFolder& folder, const RunOptions& options);

 private:
  EpochMetrics fit(const RunFolder& folder, const RunOptions& options,
                   const std::optional<StopSignal>& signal);
  void save_best(const RunFolder& folder, int epoch);
  void load_best(const RunFolder& folder);
  /// With the store's weights; gives probabilities, features and logits.
  [[nodiscard]] Inference best_network();
  /// Of each image, or of each glitch with View::Kind::all.
  [[nodiscard]] std::vector<Prediction> predictions_of(const PartSamples& part, Inference& network) const;
  void write_out_of_class(const RunFolder& folder, Inference& network,
                          const std::vector<Prediction>& held_out) const;

  Session& session_;
  const TrainingRequest& request_;
  const Dataset& data_;
  PartSamples train_, val_, test_;
  NetworkSpec spec_;
  TrainOptions options_;
  std::optional<Trainer> trainer_;
  TrainState state_;  // from which run() goes on
};

/// A loader over samples in order, padded, as evaluation wants it.
LoaderOptions evaluation_loader(const Dialect& dialect, int64_t batch);

}  // namespace xf::tool
