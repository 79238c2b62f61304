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
#include "engine/dist/comm_single.h"
#include "engine/run/executor.h"
#include "engine/train/inference.h"
#include "engine/train/metrics.h"
#include "engine/train/schedule.h"
#include "engine/train/state.h"
#include "engine/train/train_graph.h"

namespace xf {

struct TrainOptions {
  int epochs = 10;
  int64_t batch = 16;  ///< images per step, of all ranks together
  int ranks = 1;       ///< that share them out evenly; the learning rate is not theirs, but the batch's
  UpdateOptions update;
  LossOptions loss;
  Schedule schedule;
  Precision precision = Precision::f32;
  AllowReference allow_reference = AllowReference::no;
  int patience = 0;  ///< stop after so many epochs without a better validation; 0: never
  uint64_t seed = 0;
};

enum class Pause : uint8_t { no, save, stop };

/// What the caller wants to hear; each may be empty.
struct TrainEvents {
  std::function<void(int64_t images_done, int64_t images_total, double loss)> progress;
  /// After each epoch; `best` says whether the weights in the store are the best so far.
  std::function<void(const EpochMetrics&, bool best)> epoch;
  /// Asked after each update, and before each batch of a validation: whether to put down where the training
  /// is, and whether to end there.
  std::function<Pause()> pause;
  /// Where the training is, at the end of each epoch and when pause() wants it: this and the store's tensors
  /// are all that fit() needs to go on with the same bits.
  std::function<void(const TrainState&)> checkpoint;
};

class Trainer {
 public:
  /// Records and compiles the step. Reserves memory for all of it at once, declares every tensor in the store
  /// and gives those of `weights` their numbers; what nobody has set then is initialised from the seed,
  /// averages from their parameters. Throws UsageError for a batch that cannot be shared out. `comm`: of
  /// options.ranks ranks, which the backend joined; all of them make their trainers with the same options.
  Trainer(const NetworkSpec& spec, const TrainOptions& options, Backend& backend, ParamStore& store,
          ActivationMemory& memory, const std::map<std::string, Tensor>& weights = {},
          Comm& comm = single_comm());
  /// Runs all epochs, or those that are left in a state, whose tensors the store has. Returns the best one.
  /// The loaders give this rank's share. All ranks come to the same weights, figures and decisions, whoever
  /// of them pause() asked. Throws DivergedError when the loss or a gradient is not finite: it names epoch
  /// and step; StoppedError when pause() said so.
  EpochMetrics fit(Loader& train, Loader* validation, const TrainEvents& events, const TrainState& from = {});
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
  /// What one rank found in a micro-batch, and what they found together.
  struct Found {
    double loss = 0;
    double hits = 0;
  };
  [[nodiscard]] Found together(const Found& mine);
  /// What the ranks want that want most.
  [[nodiscard]] Pause together(Pause mine);
  [[nodiscard]] bool scales_loss() const { return options_.precision == Precision::f16; }
  void start(const ImageBatch& batch);
  /// Waits for a micro-batch's results and adds them. Throws DivergedError.
  double finish(const Started& started, EpochSums& sums);
  void apply_update(int64_t updates_per_epoch);
  void train_epoch(Loader& train, const TrainEvents& events);
  void validate(Loader& validation, const TrainEvents& events, EpochMetrics& m);

  NetworkSpec spec_;
  TrainOptions options_;
  Backend& backend_;
  ParamStore& store_;
  ActivationMemory& memory_;
  Comm& comm_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Inference> validation_;  // compiled when a validation part is first seen
  TrainState state_;
};

/// The plan of a training step without memory for it: what `plan` tells before anything runs.
struct TrainingPlan {
  Plan plan;
  size_t parameter_bytes = 0;  ///< the whole store: parameters, moments, sums, averages, batch-norm state
};
/// Of one of options.ranks ranks.
TrainingPlan plan_training(const NetworkSpec& spec, const TrainOptions& options, Backend& backend);

/// Images per step of one rank. Throws UsageError where the batch cannot be shared out evenly, or gives a
/// rank fewer than two.
int64_t batch_of_rank(const TrainOptions& options);

}  // namespace xf
