#include "tools/xferrun/fine_tune_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/core/log.h"
#include "engine/data/scan.h"
#include "engine/data/split.h"
#include "models/registry.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"

namespace xf::tool {

namespace {

constexpr double kRate = 0.01;
// VGG16 from ImageNet, on three classes of real glitches: 0.01 and 0.001 end at chance, 0.0002 at 98 % and
// more.
constexpr double kCarefulRate = 0.0002, kCarefulWarmup = 1;

}  // namespace

void add_options(CLI::App& command, FineTuneOptions& o) {
  const auto positive = above_zero();
  const auto fraction = between(0, 1);
  command.add_option("--model", o.model, fmt::format("the network: {}", fmt::join(model_names(), ", ")))
      ->check(word_of(find_model))
      ->required();
  auto* weights = command.add_option("--weights", o.weights,
                                     "pretrained weights: a Keras HDF5 file, or another RUN's best.h5");
  command.add_flag("--from-scratch", o.from_scratch, "start from random weights instead")->excludes(weights);
  command.add_option("--data", o.data, kDataHelp)->required();
  add_view_options(command, o.view);
  command.add_option("--out", o.out, "the RUN folder to make")->required();
  command.add_flag("--force", o.force, "replace an earlier run in --out, and nothing else");
  command
      .add_option(
          "--dialect", o.dialect,
          "keras, torchvision or caffe, where no weight file says whose definition it is. It is v1 of a\n"
          "resnet50, 101 or 152 in keras, v1.5 in torchvision")
      ->check(word_of(parse_family));
  command
      .add_option(
          "--input-size", o.input_size,
          "rows and columns of the images, HxW (280x340), instead of the weights' or the network's own")
      ->check(word_of(parse_input_size));
  command
      .add_option(
          "--head", o.head,
          "of a VGG: fc (two fully connected layers) or pool (the mean of the last map). The weights'\n"
          "by default, which is pool for those of a trunk; fc then starts these layers afresh")
      ->check(word_of(parse_head));
  command
      .add_option("--preprocess", o.preprocess,
                  "tf, caffe, torch, unit or bn_inception: how the weights' input was normalised, where the "
                  "file does\n"
                  "not say")
      ->check(word_of(parse_preprocess));
  command.add_option("--epochs", o.epochs, "passes over the training part")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--batch", o.batch, "images per step; with mpirun, of all processes together")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  command.add_option("--accumulate", o.accumulate, "steps per update: the gradient is their mean")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--optimizer", o.optimizer, "sgd, adam, adamw or adadelta")
      ->check(word_of(parse_optimizer))
      ->capture_default_str();
  command
      .add_option("--lr", o.lr,
                  "learning rate; 0.01 by default, 0.0002 for pretrained weights without batch normalisation")
      ->check(positive);
  command
      .add_option("--head-lr-factor", o.head_lr_factor,
                  "the last layer learns this much faster than the rest")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--momentum", o.momentum, "of sgd")->check(between(0, 0.9999))->capture_default_str();
  command.add_flag("--nesterov", o.nesterov, "Nesterov's momentum for sgd");
  command.add_option("--weight-decay", o.weight_decay, "of convolution and dense weights")
      ->check(at_least_zero())
      ->capture_default_str();
  command.add_option("--clip-norm", o.clip_norm, "scale the gradient down to this norm; 0: do not")
      ->check(at_least_zero())
      ->capture_default_str();
  command.add_option("--schedule", o.schedule, "learning rate: constant, step or cosine")
      ->check(word_of(parse_schedule))
      ->capture_default_str();
  command
      .add_option(
          "--warmup", o.warmup,
          "epochs of linear warm-up; 0 by default, 1 for pretrained weights without batch normalisation")
      ->check(at_least_zero());
  command.add_option("--step-epochs", o.step_epochs, "of schedule step")
      ->check(positive)
      ->capture_default_str();
  command.add_option("--step-factor", o.step_factor, "of schedule step")
      ->check(positive)
      ->capture_default_str();
  command
      .add_option("--ema", o.ema,
                  "average the weights with this decay (0.999, say) and use the average; 0: do not")
      ->check(between(0, 0.99999))
      ->capture_default_str();
  command.add_option("--label-smoothing", o.label_smoothing, "share of the label spread over all classes")
      ->check(between(0, 0.9))
      ->capture_default_str();
  command.add_flag("--class-weights", o.class_weights,
                   "weigh rare classes up, by the inverse of their share");
  command
      .add_option(
          "--bn-momentum", o.bn_momentum,
          "how fast batch-norm's running statistics follow the batches. Chosen by measurement: over five\n"
          "epochs of 16 steps, 0.03 is late by an epoch, 0.3 no better")
      ->check(fraction)
      ->capture_default_str();
  command.add_option("--freeze", o.freeze,
                     "globs of parameters that are not trained (Conv2d_*, layer1.*); a frozen batch norm "
                     "uses its running statistics");
  command
      .add_option("--early-stopping", o.patience,
                  "stop after so many epochs without a better validation; 0: do not")
      ->check(at_least_zero())
      ->capture_default_str();
  command.add_option(
      "--augment", o.augment,
      "time-shift=F, frequency-shift=F, gain=F, flip-time. None by default: a spectrogram's axes mean time\n"
      "and frequency, so a flipped or rotated glitch is another glitch");
  command
      .add_option(
          "--val-fraction", o.val_fraction,
          "of each class's glitches, to choose the best epoch; 0.1 by default. Data with parts of its "
          "own keeps\n"
          "them unless a fraction is given")
      ->check(fraction);
  command
      .add_option("--test-fraction", o.test_fraction,
                  "of each class's glitches, looked at once at the end; 0.2 by default")
      ->check(fraction);
  auto* split_file = command.add_option("--split-file", o.split_file, "a split.csv to use instead");
  auto* folds =
      command.add_option("--leave-glitches-out", o.folds,
                         "K: train K times, each glitch tested once by a network that never saw it");
  folds->excludes(split_file)->check(CLI::Range(2, 1000));
  command
      .add_option(
          "--seeds", o.seeds,
          "N: train N times, with --seed and those after it, and tell mean and interval; each draws its own\n"
          "split, unless the data or --split-file fixes it")
      ->excludes(folds)
      ->check(CLI::Range(2, 1000));
  command.add_option("--on-bad-image", o.on_bad_image, "fail or skip")
      ->check(word_of(parse_on_bad_image))
      ->capture_default_str();
  command.add_option("--seed", o.seed, "of the split, the order, the new layer and dropout")
      ->check(at_least_zero())
      ->capture_default_str();
  add_saving_options(command, o.saving);
  add_device_options(command, o.device);
  add_config_option(command);
  command.get_option("--resume")->excludes("--force");
}

void settle_rates(FineTuneOptions& o, TrainingRequest& request) {
  const std::vector<weights::NamedShape> tensors = tensors_of(make_network(o.model, request.dialect, 0));
  const bool normalised = std::any_of(tensors.begin(), tensors.end(), [](const weights::NamedShape& t) {
    return t.name.ends_with("running_var");
  });
  const bool careful = !normalised && !o.weights.empty();
  if (careful && !(o.lr && o.warmup))
    log::info("{} has no batch normalisation: --lr {} and --warmup {} unless they are given", o.model,
              kCarefulRate, kCarefulWarmup);
  o.lr = o.lr.value_or(careful ? kCarefulRate : kRate);
  o.warmup = o.warmup.value_or(careful ? kCarefulWarmup : 0);
  request.train.update.learning_rate = *o.lr;
  request.train.schedule.warmup_epochs = *o.warmup;
}

TrainingRequest training_request(const FineTuneOptions& o) {
  TrainingRequest r;
  r.model = o.model;
  r.bn_momentum = static_cast<float>(o.bn_momentum);
  r.freeze = o.freeze;
  r.class_weights = o.class_weights;
  r.augment = parse_augment(o.augment);
  r.train.epochs = o.epochs;
  r.train.batch = o.batch;
  r.train.seed = o.seed;
  r.train.patience = o.patience;
  r.train.loss.label_smoothing = static_cast<float>(o.label_smoothing);
  UpdateOptions& u = r.train.update;
  u.rule.kind = parse_optimizer(o.optimizer);
  u.rule.momentum = static_cast<float>(o.momentum);
  u.rule.nesterov = o.nesterov;
  u.rule.clip_norm = static_cast<float>(o.clip_norm);
  u.rule.ema_decay = static_cast<float>(o.ema);
  u.head_factor = o.head_lr_factor;
  u.weight_decay = o.weight_decay;
  u.accumulate = o.accumulate;
  r.train.schedule = {parse_schedule(o.schedule), 0, o.step_epochs, o.step_factor};
  return r;
}

nlohmann::json to_json(const FineTuneOptions& o) {
  return {{"model", o.model},
          {"weights", o.weights},
          {"from_scratch", o.from_scratch},
          {"data", o.data},
          {"view", o.view.view},
          {"metadata", o.view.metadata},
          {"epochs", o.epochs},
          {"batch", o.batch},
          {"accumulate", o.accumulate},
          {"optimizer", o.optimizer},
          {"lr", o.lr.value()},
          {"head_lr_factor", o.head_lr_factor},
          {"momentum", o.momentum},
          {"nesterov", o.nesterov},
          {"weight_decay", o.weight_decay},
          {"clip_norm", o.clip_norm},
          {"schedule", o.schedule},
          {"warmup", o.warmup.value()},
          {"step_epochs", o.step_epochs},
          {"step_factor", o.step_factor},
          {"ema", o.ema},
          {"label_smoothing", o.label_smoothing},
          {"class_weights", o.class_weights},
          {"bn_momentum", o.bn_momentum},
          {"freeze", o.freeze},
          {"early_stopping", o.patience},
          {"augment", o.augment},
          {"val_fraction", o.val_fraction.value_or(SplitOptions{}.val)},
          {"test_fraction", o.test_fraction.value_or(SplitOptions{}.test)},
          {"split_file", o.split_file},
          {"leave_glitches_out", o.folds},
          {"seeds", o.seeds},
          {"on_bad_image", o.on_bad_image},
          {"seed", o.seed},
          {"device", o.device.device},
          {"deterministic", o.device.deterministic}};
}

}  // namespace xf::tool
