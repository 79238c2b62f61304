#pragma once
// Where a training is.

#include <cstdint>
#include <optional>

namespace xf {

struct EpochMetrics {
  int epoch = 0;  ///< from 1
  double train_loss = 0, train_top1 = 0;
  std::optional<double> val_loss, val_top1, val_top5;  ///< none without a validation part
  double seconds = 0;                                  ///< of training and validation
  double images_per_second = 0;                        ///< of training
};

/// The best epoch so far: higher validation accuracy, ties by lower loss. Without a validation part every
/// epoch is: the last one counts.
class BestEpoch {
 public:
  BestEpoch() = default;
  explicit BestEpoch(const EpochMetrics& best) : best_(best) {}
  /// Whether this one is better.
  bool update(const EpochMetrics& m);
  [[nodiscard]] const EpochMetrics& metrics() const { return best_; }
  [[nodiscard]] int epoch() const { return best_.epoch; }  ///< 0: none yet

 private:
  EpochMetrics best_;
};

/// Over the steps of an epoch that are done.
struct EpochSums {
  double loss = 0, hits = 0;
  int64_t images = 0;
  double seconds = 0;
};

/// All of a training but the tensors of its store (parameters, batch-norm state, moments, averages, loss
/// scale) and its options. The order of the images and every random number follow from the options and these
/// counts.
struct TrainState {
  int epoch = 1;               ///< that is trained, from 1; one more than there are at the end
  int64_t step = 0;            ///< micro-batches of it that are done: whole updates
  int64_t updates = 0;         ///< since the beginning; the schedule's place
  uint32_t micro_batches = 0;  ///< likewise; random numbers are drawn with it
  EpochSums sums;              ///< of this epoch
  EpochMetrics best;           ///< epoch 0: none yet
};

}  // namespace xf
