#pragma once
// The graph of one training step: network, loss, gradients, update.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/train/network.h"

namespace xf {

struct UpdateOptions {
  Optimize rule;                ///< its `tensors` are filled in per parameter
  double learning_rate = 0.01;  ///< of the trunk
  double head_factor = 1;       ///< the last layer's rate is this times the trunk's
  double weight_decay = 0;    ///< of convolution and dense weights; never of biases and batch-norm parameters
  int accumulate = 1;         ///< micro-batches per update
  bool loss_scaling = false;  ///< dynamic, for f16: its state is "loss_scale", with the first scale to be set
};
/// Parses "sgd", "adam", "adamw", "adadelta". Throws UsageError listing them.
OptimizerKind parse_optimizer(std::string_view text);
std::string_view name(OptimizerKind kind);

struct LossOptions {
  float label_smoothing = 0;
  bool class_weights =
      false;  ///< the store's tensor "class_weights" (classes) weighs each image by its label
};

/// Groups of StepParams::learning_rate.
enum RateGroup : uint8_t { kTrunk = 0, kHead = 1 };

/// What a training step computes that somebody reads; in this order in compile()'s `keep`.
enum TrainResult : uint8_t { kLoss, kHits, kGradientNorm, kFinite, kLossScale };

struct TrainGraph {
  std::unique_ptr<Graph> graph;
  std::vector<Value> keep;  ///< by TrainResult; kLossScale only with loss scaling
};

/// Records a step on `batch` images: inputs "images", "labels" (i32), "image_weights" (f32). Moments, sums
/// and averages are states named moment1/NAME, moment2/NAME, sum/NAME and ema/NAME. Throws UsageError when
/// every parameter is frozen.
TrainGraph record_training(const NetworkSpec& spec, int64_t batch, const UpdateOptions& update,
                           const LossOptions& loss);

}  // namespace xf
