#include "tools/xferrun/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/analyze/out_of_class.h"
#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/train/glitch_mean.h"
#include "engine/train/predict.h"
#include "tools/xferrun/checkpoint_files.h"
#include "tools/xferrun/exit_code.h"
#include "tools/xferrun/progress.h"
#include "tools/xferrun/resume.h"
#include "tools/xferrun/world.h"
#include "weights/export.h"

namespace xf::tool {

PartSamples samples_of(const Dataset& data, const std::vector<Part>& parts, Part part) {
  PartSamples result{{}, samples_in(parts, part)};
  for (const int64_t i : result.indices) result.samples.push_back(data.samples[static_cast<size_t>(i)]);
  return result;
}

LoaderOptions evaluation_loader(const Dialect& dialect, int64_t batch) {
  LoaderOptions o;
  o.batch = batch;
  o.height = dialect.height;
  o.width = dialect.width;
  o.channels = dialect.channels;
  o.resize = dialect.resize;
  o.order = Order::sequential;
  o.last = LastBatch::pad;
  o.shard = share();
  return o;
}

namespace {

constexpr const char* kCalmer = "use a lower --lr, --clip-norm, or --precision f32";

/// The names of the parameters, batch norm's running statistics left out.
std::vector<std::string> trained_names(const NetworkSpec& spec) {
  const InferenceGraph recorded = record_network(spec);
  std::vector<std::string> names;
  for (const Value& p : recorded.graph->sources(Source::param)) names.push_back(recorded.graph->node(p).name);
  return names;
}

/// Weighs each class by the inverse of its share of the training images, 1 on average over the images.
Tensor balanced_weights(const std::vector<Sample>& train, size_t classes) {
  std::vector<double> count(classes, 0);
  for (const Sample& s : train) ++count[static_cast<size_t>(s.label)];
  Tensor weights(vector_shape(static_cast<int64_t>(classes)));
  const auto w = weights.as<float>();
  for (size_t c = 0; c < classes; ++c)
    w[c] = count[c] > 0 ? static_cast<float>(static_cast<double>(train.size()) /
                                             (static_cast<double>(classes) * count[c]))
                        : 1.0F;
  return weights;
}

/// Says what --freeze does. Throws UsageError for a glob that is the name of nothing.
void check_freeze(const TrainingRequest& request, const NetworkSpec& spec) {
  if (request.freeze.empty()) return;
  const std::vector<std::string> names = trained_names(spec);
  std::vector<bool> frozen(names.size());
  for (const std::string& glob : request.freeze) {
    bool matches = false;
    for (size_t i = 0; i < names.size(); ++i)
      if (glob_match(glob, names[i])) frozen[i] = matches = true;
    if (!matches)
      throw UsageError(
          "--freeze " + glob, "matches no parameter of " + request.model,
          fmt::format("its parameters are called {}, {} … {}", names.at(0), names.at(1), names.back()));
  }
  log::info(
      "--freeze: {} of {} parameters are not trained; where all of a batch norm is frozen it uses its "
      "running "
      "statistics",
      std::count(frozen.begin(), frozen.end(), true), names.size());
}

void require_finite(const weights::NamedTensor& t, int epoch) {
  for (const float x : t.tensor->as<float>())
    if (!std::isfinite(x))
      throw DivergedError(fmt::format("epoch {}", epoch), t.name + " is no longer finite", kCalmer);
}

std::string epoch_line(const EpochMetrics& m, int epochs, bool best) {
  std::string line = fmt::format("epoch {}/{}: loss {:.4f}, top-1 {:.2f} %", m.epoch, epochs, m.train_loss,
                                 100 * m.train_top1);
  if (m.val_top1)
    line += fmt::format("; validation loss {:.4f}, top-1 {:.2f} %{}", *m.val_loss, 100 * *m.val_top1,
                        best ? " (best)" : "");
  return line + fmt::format("; {:.1f} s, {:.1f} images/s", m.seconds, m.images_per_second);
}

}  // namespace

TrainingRun::TrainingRun(Session& session, const TrainingRequest& request, const Dataset& data,
                         const std::vector<Part>& parts)
    : session_(session),
      request_(request),
      data_(data),
      train_(samples_of(data, parts, Part::train)),
      val_(samples_of(data, parts, Part::val)),
      test_(samples_of(data, parts, Part::test)),
      spec_(make_network(request.model, request.dialect, static_cast<int>(data.classes.size()))),
      options_(request.train) {
  check_freeze(request, spec_);
  spec_.net.bn_momentum = request.bn_momentum;
  spec_.net.freeze = request.freeze;
  std::map<std::string, Tensor> weights;
  if (!request.weights.empty())
    weights = read_weights(spec_, request.weights, request.model, weights::Top::replaced, request.fresh);
  options_.loss.class_weights = request.class_weights;
  options_.precision = session.precision();
  options_.allow_reference = session.allow_reference();
  options_.ranks = world().size();
  trainer_.emplace(spec_, options_, session.backend(), session.store(), session.memory(), weights, world());
  if (options_.ranks > 1)
    log::info(
        "{} ranks: {} images of each step on every one; --batch {} and --lr are those of the whole step",
        options_.ranks, batch_of_rank(options_), options_.batch);
  trainer_->executor().observe(session.observer());
  if (request.class_weights)
    session.store().set("class_weights", balanced_weights(train_.samples, data.classes.size()));
}

/// Writes best.h5 with the weights that evaluation uses.
void TrainingRun::save_best(const RunFolder& folder, int epoch) {
  std::vector<Tensor> tensors;
  std::vector<weights::NamedTensor> named;
  const std::vector<weights::NamedShape> wanted = tensors_of(spec_);
  tensors.reserve(wanted.size());
  for (const weights::NamedShape& t : wanted) {
    const std::string averaged = trainer_->evaluation_prefix() + t.name;
    tensors.push_back(session_.store().get(session_.store().has(averaged) ? averaged : t.name));
    named.push_back({t.name, &tensors.back()});
    require_finite(named.back(), epoch);
  }
  weights::save(folder.best(), {request_.model, request_.dialect, data_.classes, {}}, named);
}

/// The best epoch's weights, as whoever opens the folder later will have them.
void TrainingRun::load_best(const RunFolder& folder) {
  for (auto& [name, tensor] :
       weights::load(folder.best(), request_.model, tensors_of(spec_), weights::Top::loaded).tensors)
    session_.store().set(name, tensor);
}

Inference TrainingRun::best_network() {
  InferenceOptions inference = inference_options(session_, batch_of_rank(options_));
  inference.weights = Weights::changing;
  inference.results = prediction_results();
  return {spec_, inference, session_.backend(), session_.store(), session_.memory()};
}

std::vector<Prediction> TrainingRun::predictions_of(const PartSamples& part, Inference& network) const {
  if (part.samples.empty()) return {};
  Loader loader(part.samples, evaluation_loader(request_.dialect, batch_of_rank(options_)));
  std::vector<Prediction> predictions = predict(network, loader, world());
  for (Prediction& p : predictions) p.sample = part.indices[static_cast<size_t>(p.sample)];
  return data_.view.kind == View::Kind::all ? mean_by_glitch(predictions, data_.samples) : predictions;
}

void TrainingRun::write_out_of_class(const RunFolder& folder, Inference& network,
                                     const std::vector<Prediction>& held_out) const {
  if (static_cast<int64_t>(held_out.size()) < OutOfClass::kFewest) {
    log::info("predict will not say out_of_class: {} {} are too few to tell what is far out", held_out.size(),
              data_.view.kind == View::Kind::all ? "glitches" : "images");
    return;
  }
  const std::vector<Prediction> train = predictions_of(train_, network);
  if (!is_writer()) return;
  std::vector<int32_t> labels;
  labels.reserve(train.size());
  for (const Prediction& p : train) labels.push_back(p.label);
  const OutOfClass reference(features_of(train), labels, static_cast<int32_t>(data_.classes.size()),
                             features_of(held_out), logits_of(held_out));
  reference.write(folder.out_of_class(), weights::read_run_info(folder.best()).model_id);
}

void TrainingRun::restore(const weights::Checkpoint& c) {
  put_back(c, session_.store());
  state_ = c.state;
}

/// All epochs, or those that are left. A signal, or the host, is obeyed between two updates.
EpochMetrics TrainingRun::fit(const RunFolder& folder, const RunOptions& options,
                              const std::optional<StopSignal>& signal) {
  LoaderOptions load = evaluation_loader(request_.dialect, batch_of_rank(options_));
  std::optional<Loader> validation;
  if (!val_.samples.empty()) validation.emplace(val_.samples, load);
  load.order = Order::shuffled;
  load.last = LastBatch::wrap;
  load.seed = options_.seed;
  load.augment = request_.augment;
  Loader training(train_.samples, load);

  const auto& host = options.saving.host;
  int epoch = state_.epoch;
  int64_t images = 0;
  bool unwanted = false;
  PauseRule rule(options.saving, [&] { return signal ? signal->requested() : unwanted; });
  CheckpointWriter checkpoints(folder.path(), options.saving.keep);
  std::optional<Progress> progress;
  TrainEvents events;
  events.progress = [&](int64_t done, int64_t total, double loss) {
    if (host) {
      images = total;
      if (!host({epoch, options_.epochs, done, total, loss, nullptr})) unwanted = true;
      return;
    }
    if (!progress) progress.emplace(options.heading + "training", "images");
    progress->update(done, total, fmt::format(", loss {:.4f}", loss));
  };
  events.epoch = [&](const EpochMetrics& m, bool best) {
    progress.reset();
    if (m.val_loss && !std::isfinite(*m.val_loss))
      throw DivergedError(fmt::format("epoch {}", m.epoch), "the validation loss is not a finite number",
                          kCalmer);
    if (best && is_writer()) save_best(folder, m.epoch);
    folder.add_metrics(m);
    log::info("{}{}", options.heading, epoch_line(m, options_.epochs, best));
    epoch = m.epoch + 1;
    if (host && !host({m.epoch, options_.epochs, images, images, m.train_loss, &m})) unwanted = true;
  };
  events.pause = [&] { return rule.ask(checkpoints.seconds()); };
  events.checkpoint = [&](const TrainState& state) {
    if (!is_writer()) return;  // all ranks hold the same
    checkpoints.write(
        take_checkpoint(session_.store(), state, about(options.identity, folder.metrics_bytes())));
  };
  try {
    const EpochMetrics best = trainer_->fit(training, validation ? &*validation : nullptr, events, state_);
    checkpoints.wait();
    return best;
  } catch (const StoppedError& e) {
    progress.reset();
    checkpoints.wait();
    throw StoppedError(folder.path().string(), fmt::format("{}{}", options.heading, e.what()),
                       options.saving.go_on);
  }
}

TrainingResult TrainingRun::run(const RunFolder& folder, const RunOptions& options) {
  TrainingResult result;
  std::optional<StopSignal> signal;
  if (!options.saving.host) signal.emplace();
  result.best = fit(folder, options, signal);
  const std::string message =
      fmt::format("xferrun: error: training: stopped while its best weights were tested\nxferrun: {}\n",
                  options.saving.go_on);
  std::optional<StopSignal::AtOnce> now;
  if (signal) now.emplace(kStopped, message.c_str());
  meet(world());  // best.h5 is there
  load_best(folder);
  Inference network = best_network();
  result.val = predictions_of(val_, network);
  result.test = predictions_of(test_, network);
  write_out_of_class(folder, network, val_.samples.empty() ? result.test : result.val);
  return result;
}

}  // namespace xf::tool
