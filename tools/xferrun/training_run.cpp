#include "tools/xferrun/training_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "tools/xferrun/progress.h"
#include "weights/export.h"

namespace xf::tool {

PartSamples samples_of(const Dataset& data, const std::vector<Part>& parts, Part part) {
  PartSamples result;
  for (size_t i = 0; i < data.samples.size(); ++i)
    if (parts[i] == part) {
      result.samples.push_back(data.samples[i]);
      result.indices.push_back(static_cast<int64_t>(i));
    }
  return result;
}

LoaderOptions evaluation_loader(const Dialect& dialect, int64_t batch) {
  LoaderOptions o;
  o.batch = batch;
  o.height = o.width = dialect.input_size;
  o.resize = dialect.resize;
  o.order = Order::sequential;
  o.last = LastBatch::pad;
  return o;
}

namespace {

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

/// Writes best.h5 with the weights that evaluation uses.
void save_best(Session& session, const TrainingRequest& request, const NetworkSpec& spec, const Dataset& data,
               const RunFolder& folder, const std::string& prefix) {
  std::vector<Tensor> tensors;
  std::vector<weights::NamedTensor> named;
  const std::vector<weights::NamedShape> wanted = tensors_of(spec);
  tensors.reserve(wanted.size());
  for (const weights::NamedShape& t : wanted) {
    const std::string averaged = prefix + t.name;
    tensors.push_back(session.store().get(session.store().has(averaged) ? averaged : t.name));
    named.push_back({t.name, &tensors.back()});
  }
  weights::save(folder.best(), {request.model, request.dialect, data.classes, {}}, named);
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

TrainingResult run_training(Session& session, const TrainingRequest& request, const Dataset& data,
                            const std::vector<Part>& parts, const RunFolder& folder,
                            const std::string& heading) {
  NetworkSpec spec = make_network(request.model, request.dialect, static_cast<int>(data.classes.size()));
  spec.net.bn_momentum = request.bn_momentum;
  spec.net.freeze = request.freeze;
  if (!request.weights.empty())
    load_weights(session, spec, request.weights, request.model, weights::Top::replaced);

  TrainOptions options = request.train;
  options.loss.class_weights = request.class_weights;
  const PartSamples train = samples_of(data, parts, Part::train), val = samples_of(data, parts, Part::val),
                    test = samples_of(data, parts, Part::test);
  Trainer trainer(spec, options, session.backend(), session.store(), session.memory());
  trainer.executor().observe(session.observer());
  if (request.class_weights)
    session.store().set("class_weights", balanced_weights(train.samples, data.classes.size()));

  LoaderOptions load = evaluation_loader(request.dialect, options.batch);
  std::optional<Loader> validation;
  if (!val.samples.empty()) validation.emplace(val.samples, load);
  load.order = Order::shuffled;
  load.last = LastBatch::wrap;
  load.seed = options.seed;
  load.augment = request.augment;
  Loader training(train.samples, load);

  std::optional<Progress> progress;
  TrainEvents events;
  events.progress = [&](int64_t done, int64_t total, double loss) {
    if (!progress) progress.emplace(heading + "training", "images");
    progress->update(done, total, fmt::format(", loss {:.4f}", loss));
  };
  events.epoch = [&](const EpochMetrics& m, bool best) {
    progress.reset();
    if (best) save_best(session, request, spec, data, folder, trainer.evaluation_prefix());
    folder.add_metrics(m);
    log::info("{}{}", heading, epoch_line(m, options.epochs, best));
  };
  TrainingResult result;
  result.best = trainer.fit(training, validation ? &*validation : nullptr, events);

  if (test.samples.empty()) return result;
  // The best epoch's weights, as whoever opens the folder later will have them.
  for (auto& [name, tensor] :
       weights::load(folder.best(), request.model, tensors_of(spec), weights::Top::loaded).tensors)
    session.store().set(name, tensor);
  InferenceOptions inference;
  inference.batch = options.batch;
  inference.precision = options.precision;
  inference.weights = Weights::changing;
  inference.allow_reference = options.allow_reference;
  Inference best(spec, inference, session.backend(), session.store(), session.memory());
  Loader testing(test.samples, evaluation_loader(request.dialect, options.batch));
  result.test = predict(best, testing);
  for (Prediction& p : result.test) p.sample = test.indices[static_cast<size_t>(p.sample)];
  return result;
}

}  // namespace xf::tool
