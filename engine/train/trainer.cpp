#include "engine/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "engine/core/error.h"

namespace xf {

namespace {
double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double sum_of(const Tensor& t) {
  double sum = 0;
  for (const float x : t.as<float>()) sum += x;
  return sum;
}
}  // namespace

bool BestEpoch::update(const EpochMetrics& m) {
  const bool better = !m.val_top1 || *m.val_top1 > top1_ || (*m.val_top1 == top1_ && *m.val_loss < loss_);
  if (better) {
    epoch_ = m.epoch;
    top1_ = m.val_top1.value_or(-1);
    loss_ = m.val_loss.value_or(loss_);
  }
  return better;
}

TrainingPlan plan_training(const NetworkSpec& spec, const TrainOptions& options, Backend& backend) {
  const TrainGraph recorded = record_training(spec, options.batch, options.update, options.loss);
  TrainingPlan result;
  result.parameter_bytes = ParamStore::bytes_for(*recorded.graph);
  result.plan = compile(*recorded.graph, recorded.keep,
                        {options.precision, Weights::changing, options.allow_reference}, backend);
  return result;
}

Trainer::Trainer(const NetworkSpec& spec, const TrainOptions& options, Backend& backend, ParamStore& store,
                 ActivationMemory& memory)
    : spec_(spec), options_(options), backend_(backend), store_(store), memory_(memory) {
  const TrainGraph recorded = record_training(spec, options.batch, options.update, options.loss);
  Plan plan = compile(*recorded.graph, recorded.keep,
                      {options.precision, Weights::changing, options.allow_reference}, backend);
  store.declare(*recorded.graph);
  std::vector<std::string> fresh_averages;
  for (const std::string& name : store.names())
    if (name.rfind("ema/", 0) == 0 && !store.assigned(name)) fresh_averages.push_back(name);
  store.initialise(*recorded.graph, options.seed);
  for (const std::string& name : fresh_averages) store.set(name, store.get(name.substr(4)));
  executor_ = std::make_unique<Executor>(std::move(plan), backend, store, memory);
  executor_->params().seed = options.seed;
}

std::string Trainer::evaluation_prefix() const { return options_.update.rule.ema_decay > 0 ? "ema/" : ""; }

Trainer::StepResult Trainer::micro_step(const ImageBatch& batch) {
  executor_->write("images", batch.images);
  executor_->write("labels", batch.labels);
  executor_->write("image_weights", batch.weights);
  StepParams& params = executor_->params();
  params.counter = micro_batches_;
  params.micro_batch =
      static_cast<int32_t>(micro_batches_ % static_cast<uint32_t>(options_.update.accumulate));
  executor_->run_batch();
  ++micro_batches_;
  return {sum_of(executor_->fetch(kLoss)), executor_->fetch(kHits).as<float>()[0]};
}

void Trainer::apply_update(int64_t updates_per_epoch) {
  StepParams& params = executor_->params();
  const double rate = options_.update.learning_rate *
                      learning_rate_factor(options_.schedule, updates_, updates_per_epoch, options_.epochs);
  params.learning_rate[kTrunk] = static_cast<float>(rate);
  params.learning_rate[kHead] = static_cast<float>(rate * options_.update.head_factor);
  params.update = static_cast<int32_t>(++updates_);
  executor_->run_update();
}

double Trainer::step(const ImageBatch& batch) {
  const double loss = micro_step(batch).loss;
  apply_update(1);
  return loss;
}

void Trainer::train_epoch(Loader& train, EpochMetrics& m, const TrainEvents& events) {
  const int64_t batches = train.batches(), total = batches * options_.batch;
  const int accumulate = options_.update.accumulate;
  // Micro-batches that do not fill an update at the end of an epoch are left out; the next epoch's order
  // differs.
  const int64_t updates = std::max<int64_t>(1, batches / accumulate);
  double loss = 0, hits = 0;
  int64_t seen = 0;
  ImageBatch batch;
  train.start_epoch(m.epoch - 1);
  for (int64_t i = 0; i < updates * accumulate; ++i) {
    if (!train.next(batch)) {  // fewer batches than one update needs: go round
      train.start_epoch(m.epoch - 1);
      train.next(batch);
    }
    const StepResult r = micro_step(batch);
    const auto fail = [&](const char* what) {
      throw DivergedError(fmt::format("epoch {}, step {}", m.epoch, i + 1),
                          fmt::format("{} is not a finite number", what),
                          std::string("use a lower --lr, --clip-norm, or --precision f32") +
                              (m.epoch > 1 ? "; the best weights so far are kept" : ""));
    };
    if (!std::isfinite(r.loss)) fail("the loss");
    loss += r.loss;
    hits += r.hits;
    seen += options_.batch;
    if ((i + 1) % accumulate == 0) {
      apply_update(updates);
      if (executor_->fetch(kFinite).as<float>()[0] == 0) fail("a gradient");
    }
    if (events.progress) events.progress(seen, total, r.loss);
  }
  m.train_loss = loss * static_cast<double>(options_.batch) / static_cast<double>(seen);
  m.train_top1 = hits / static_cast<double>(seen);
}

void Trainer::validate(Loader& validation, EpochMetrics& m) {
  if (!validation_) {
    InferenceOptions options;
    options.batch = options_.batch;
    options.precision = options_.precision;
    options.weights = Weights::changing;
    options.allow_reference = options_.allow_reference;
    options.prefix = evaluation_prefix();
    validation_ = std::make_unique<Inference>(spec_, options, backend_, store_, memory_);
  }
  const std::vector<Prediction> predictions = predict(*validation_, validation);
  if (predictions.empty()) return;
  const std::vector<std::string> classes(predictions.front().probabilities.size());
  const Evaluation e = evaluate(predictions, classes);
  m.val_loss = e.loss;
  m.val_top1 = e.top[0];
  m.val_top5 = e.top[4];
}

EpochMetrics Trainer::fit(Loader& train, Loader* validation, const TrainEvents& events) {
  BestEpoch best;
  EpochMetrics best_metrics;
  for (int epoch = 1; epoch <= options_.epochs; ++epoch) {
    EpochMetrics m;
    m.epoch = epoch;
    const auto start = std::chrono::steady_clock::now();
    train_epoch(train, m, events);
    const double trained = seconds_since(start);
    m.images_per_second = static_cast<double>(train.batches() * options_.batch) / trained;
    if (validation != nullptr) validate(*validation, m);
    m.seconds = seconds_since(start);
    const bool is_best = best.update(m);
    if (is_best) best_metrics = m;
    if (events.epoch) events.epoch(m, is_best);
    if (options_.patience > 0 && validation != nullptr && epoch - best.epoch() >= options_.patience) break;
  }
  return best_metrics;
}

std::vector<Prediction> predict(Inference& inference, Loader& loader) {
  std::vector<Prediction> predictions;
  ImageBatch batch;
  loader.start_epoch(0);
  while (loader.next(batch)) {
    inference.run(batch.images);
    const Tensor probabilities = inference.result(0);
    const auto p = probabilities.as<float>();
    const auto classes = static_cast<size_t>(probabilities.shape().c);
    for (size_t i = 0; i < batch.samples.size(); ++i) {
      if (batch.samples[i] < 0) continue;
      Prediction one{batch.samples[i], batch.labels.as<int32_t>()[i], 0, {}};
      one.probabilities.assign(p.begin() + static_cast<ptrdiff_t>(i * classes),
                               p.begin() + static_cast<ptrdiff_t>((i + 1) * classes));
      // A probability that underflowed to zero would make the mean infinite.
      constexpr double kSmallest = 1e-30;
      one.loss = -std::log(std::max<double>(one.probabilities[static_cast<size_t>(one.label)], kSmallest));
      predictions.push_back(std::move(one));
    }
  }
  return predictions;
}

}  // namespace xf
