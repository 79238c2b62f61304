#pragma once
// Epochs: batches in, updates out, the best epoch remembered.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/loader.h"
#include "engine/run/executor.h"
#include "engine/train/inference.h"
#include "engine/train/metrics.h"
#include "engine/train/schedule.h"
#include "engine/train/train_graph.h"

namespace xf {

struct TrainOptions {
  int epochs = 10;
  int64_t batch = 16;
  UpdateOptions update;
  LossOptions loss;
  Schedule schedule;
  Precision precision = Precision::f32;
  AllowReference allow_reference = AllowReference::no;
  int patience = 0;  ///< stop after so many epochs without a better validation; 0: never
  uint64_t seed = 0;
};

struct EpochMetrics {
  int epoch = 0;  ///< from 1
  double train_loss = 0, train_top1 = 0;
  std::optional<double> val_loss, val_top1, val_top5;  ///< none without a validation part
  double seconds = 0;                                  ///< of training and validation
  double images_per_second = 0;                        ///< of training
};

/// Whether an epoch is the best so far: higher validation accuracy, ties by lower loss. Without a validation
/// part every epoch is: the last one counts.
class BestEpoch {
 public:
  bool update(const EpochMetrics& m);
  [[nodiscard]] int epoch() const { return epoch_; }

 private:
  int epoch_ = 0;
  double top1_ = -1, loss_ = std::numeric_limits<double>::infinity();
};

/// What the caller wants to hear; each may be empty.
struct TrainEvents {
  std::function<void(int64_t images_done, int64_t images_total, double loss)> progress;
  /// After each epoch; `best` says whether the weights in the store are the best so far.
  std::function<void(const EpochMetrics&, bool best)> epoch;
};

class Trainer {
 public:
  /// Records and compiles the step. Reserves memory for all of it at once, declares every tensor in the store
  /// and gives those of `weights` their numbers; what nobody has set then is initialised from the seed,
  /// averages from their parameters.
  Trainer(const NetworkSpec& spec, const TrainOptions& options, Backend& backend, ParamStore& store,
          ActivationMemory& memory, const std::map<std::string, Tensor>& weights = {});
  /// Runs all epochs. Throws DivergedError when the loss or a gradient is not finite: it names epoch and
  /// step.
  EpochMetrics fit(Loader& train, Loader* validation, const TrainEvents& events);
  /// One update on a batch that is already here, without waiting for it: for measuring.
  void step(const ImageBatch& batch);
  /// Waits for the oldest step() whose loss was not asked for; two may be on their way.
  double loss();
  [[nodiscard]] const Plan& plan() const { return executor_->plan(); }
  [[nodiscard]] Executor& executor() { return *executor_; }
  /// What to put before a tensor's name to get what evaluation uses: "ema/" with averaging on.
  [[nodiscard]] std::string evaluation_prefix() const;

 private:
  /// A micro-batch whose results are on their way.
  struct Started {
    int epoch = 0;
    int64_t step = 0;
    bool updated = false;
  };
  struct Sums {
    double loss = 0, hits = 0;
    int64_t images = 0;
  };
  [[nodiscard]] bool scales_loss() const { return options_.precision == Precision::f16; }
  void start(const ImageBatch& batch);
  /// Waits for a micro-batch's results and adds them. Throws DivergedError.
  double finish(const Started& started, Sums& sums);
  void apply_update(int64_t updates_per_epoch);
  void train_epoch(Loader& train, EpochMetrics& m, const TrainEvents& events);
  void validate(Loader& validation, EpochMetrics& m);

  NetworkSpec spec_;
  TrainOptions options_;
  Backend& backend_;
  ParamStore& store_;
  ActivationMemory& memory_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Inference> validation_;  // compiled when a validation part is first seen
  int64_t updates_ = 0;
  uint32_t micro_batches_ = 0;
};

/// The plan of a training step without memory for it: what `plan` tells before anything runs.
struct TrainingPlan {
  Plan plan;
  size_t parameter_bytes = 0;  ///< the whole store: parameters, moments, sums, averages, batch-norm state
};
TrainingPlan plan_training(const NetworkSpec& spec, const TrainOptions& options, Backend& backend);

/// Class probabilities of every sample of a loader, in the loader's order; with features and logits where
/// these are the second and third result that the network was compiled for.
std::vector<Prediction> predict(Inference& inference, Loader& loader);

}  // namespace xf
