#include "engine/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "engine/core/aligned.h"
#include "engine/core/error.h"
#include "engine/train/largest_batch.h"
#include "engine/train/predict.h"

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
  const double top1 = best_.val_top1.value_or(-1);
  const bool better =
      !m.val_top1 || *m.val_top1 > top1 || (*m.val_top1 == top1 && *m.val_loss < best_.val_loss);
  if (better) best_ = m;
  return better;
}

namespace {
TrainGraph record(const NetworkSpec& spec, const TrainOptions& options) {
  UpdateOptions update = options.update;
  update.loss_scaling = options.precision == Precision::f16;
  return record_training(spec, batch_of_rank(options), update, options.loss);
}
}  // namespace

TrainingPlan plan_training(const NetworkSpec& spec, const TrainOptions& options, Backend& backend) {
  const TrainGraph recorded = record(spec, options);
  TrainingPlan result;
  result.parameter_bytes = ParamStore::bytes_for(*recorded.graph);
  result.plan =
      compile(*recorded.graph, recorded.keep,
              {options.precision, Weights::changing, options.allow_reference, options.ranks}, backend);
  return result;
}

namespace {

constexpr int64_t kLeastBatch = 2;  // batch statistics of one image mean little

}  // namespace

int64_t batch_of_rank(const TrainOptions& options) {
  const int64_t ranks = options.ranks;
  if (options.batch % ranks == 0 && (ranks == 1 || options.batch >= kLeastBatch * ranks))
    return options.batch / ranks;
  throw UsageError(fmt::format("--batch {}", options.batch),
                   fmt::format("cannot be shared out among {} ranks", ranks),
                   fmt::format("give a multiple of {}, {} or more: it is the number of images of a step on "
                               "all ranks together",
                               ranks, kLeastBatch * ranks));
}

namespace {

size_t bytes_of(const Plan& plan, const Backend& backend) {
  size_t bytes = aligned(plan.arena_bytes) + aligned(plan.fixed_bytes) + ParamStore::bytes_for(plan.graph());
  for (const Source written : {Source::input, Source::step})
    for (const Value& v : plan.graph().sources(written))
      if (plan.slots.count(v) != 0) bytes += backend.feed_bytes(v.spec().bytes());
  return bytes;
}

/// Sets the plan's memory aside, but for what the store holds already. Throws MemoryError, which names the
/// largest batch that fits.
void require_memory(const NetworkSpec& spec, const TrainOptions& options, const Plan& plan, Backend& backend,
                    const ParamStore& store) {
  const size_t held = store.bytes(), all = bytes_of(plan, backend), more = all - std::min(all, held);
  const size_t available = backend.available();
  if (more <= available) {
    backend.set_aside(more);
    return;
  }
  const int64_t share = batch_of_rank(options);
  const int64_t fits =
      options.ranks * largest_batch(kLeastBatch, share, available + held, [&](int64_t batch) {
        TrainOptions smaller = options;
        smaller.batch = options.ranks * batch;
        return batch == share ? all : bytes_of(plan_training(spec, smaller, backend).plan, backend);
      });
  constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
  throw MemoryError(
      fmt::format("--batch {}", options.batch),
      fmt::format("training takes {:.2f} GiB on {}, where {:.2f} GiB are available",
                  static_cast<double>(all) / kGiB, backend.name(),
                  static_cast<double>(available + held) / kGiB),
      fits > 0 ? fmt::format("the largest that fits is --batch {}", fits)
               : "no batch of this network fits: use a smaller network, or a device with more memory");
}

}  // namespace

Trainer::Trainer(const NetworkSpec& spec, const TrainOptions& options, Backend& backend, ParamStore& store,
                 ActivationMemory& memory, const std::map<std::string, Tensor>& weights, Comm& comm)
    : spec_(spec), options_(options), backend_(backend), store_(store), memory_(memory), comm_(comm) {
  const TrainGraph recorded = record(spec, options);
  Plan plan =
      compile(*recorded.graph, recorded.keep,
              {options.precision, Weights::changing, options.allow_reference, options.ranks}, backend);
  require_memory(spec, options, plan, backend, store);
  store.declare(*recorded.graph);
  for (const auto& [name, tensor] : weights) store.set(name, tensor);
  std::vector<std::string> fresh_averages;
  for (const std::string& name : store.names())
    if (name.rfind("ema/", 0) == 0 && !store.assigned(name)) fresh_averages.push_back(name);
  const bool first_scale = scales_loss() && !store.assigned("loss_scale");
  store.initialise(*recorded.graph, options.seed);
  if (first_scale) {
    Tensor scale({1, 1, 1, 2});
    scale.as<float>()[0] = LossScaling::kFirst;
    store.set("loss_scale", scale);
  }
  for (const std::string& name : fresh_averages) store.set(name, store.get(name.substr(4)));
  executor_ = std::make_unique<Executor>(std::move(plan), backend, store, memory);
  executor_->params().seed = options.seed;
  executor_->params().first_image = comm.rank() * batch_of_rank(options);
}

std::string Trainer::evaluation_prefix() const { return options_.update.rule.ema_decay > 0 ? "ema/" : ""; }

void Trainer::start(const ImageBatch& batch) {
  executor_->write("images", batch.images);
  executor_->write("labels", batch.labels);
  executor_->write("image_weights", batch.weights);
  StepParams& params = executor_->params();
  params.counter = state_.micro_batches;
  params.micro_batch =
      static_cast<int32_t>(state_.micro_batches % static_cast<uint32_t>(options_.update.accumulate));
  executor_->run_batch();
  executor_->send(kLoss);
  executor_->send(kHits);
  ++state_.micro_batches;
}

void Trainer::apply_update(int64_t updates_per_epoch) {
  StepParams& params = executor_->params();
  const double rate =
      options_.update.learning_rate *
      learning_rate_factor(options_.schedule, state_.updates, updates_per_epoch, options_.epochs);
  params.learning_rate[kTrunk] = static_cast<float>(rate);
  params.learning_rate[kHead] = static_cast<float>(rate * options_.update.head_factor);
  params.update = static_cast<int32_t>(++state_.updates);
  executor_->run_update();
  executor_->send(kFinite);
  if (scales_loss()) executor_->send(kLossScale);
}

void Trainer::step(const ImageBatch& batch) {
  start(batch);
  apply_update(1);
}

double Trainer::loss() {
  static_cast<void>(executor_->receive(kHits));
  static_cast<void>(executor_->receive(kFinite));
  if (scales_loss()) static_cast<void>(executor_->receive(kLossScale));
  return sum_of(executor_->receive(kLoss));
}

Trainer::Found Trainer::together(const Found& mine) {
  if (comm_.size() == 1) return mine;
  Found sum;
  for (const Found& rank : all_gather(comm_, mine)) {
    sum.loss += rank.loss;
    sum.hits += rank.hits;
  }
  return {sum.loss / comm_.size(), sum.hits};
}

Pause Trainer::together(Pause mine) {
  if (comm_.size() == 1) return mine;
  const std::vector<Pause> all = all_gather(comm_, mine);
  return *std::max_element(all.begin(), all.end());
}

double Trainer::finish(const Started& started, EpochSums& sums) {
  const auto fail = [&](const char* what) {
    throw DivergedError(fmt::format("epoch {}, step {}", started.epoch, started.step),
                        fmt::format("{} is not a finite number", what),
                        std::string("use a lower --lr, --clip-norm, or --precision f32") +
                            (started.epoch > 1 ? "; the best weights so far are kept" : ""));
  };
  const double mine = sum_of(executor_->receive(kLoss));
  const auto [loss, hits] = together(Found{mine, executor_->receive(kHits).as<float>()[0]});
  if (!std::isfinite(loss)) fail("the loss");
  sums.loss += loss;
  sums.hits += hits;
  sums.images += options_.batch;
  if (!started.updated) return loss;
  const bool finite = executor_->receive(kFinite).as<float>()[0] != 0;
  // A scale that is too large is found by gradients that overflow; one of 1 scales nothing.
  const float scale = scales_loss() ? executor_->receive(kLossScale).as<float>()[0] : 0;
  if (!finite && scale < 1) fail("a gradient");
  return loss;
}

void Trainer::train_epoch(Loader& train, const TrainEvents& events) {
  const int64_t batches = train.batches(), total = batches * options_.batch;
  const int accumulate = options_.update.accumulate;
  // Micro-batches that do not fill an update at the end of an epoch are left out; the next epoch's order
  // differs.
  const int64_t updates = std::max<int64_t>(1, batches / accumulate), steps = updates * accumulate;
  const auto start_time = std::chrono::steady_clock::now();
  const double seconds_before = state_.sums.seconds;
  // The results of a micro-batch are read while the next one is computed. An update whose gradients are not
  // finite changes nothing, so what was started meanwhile does no harm.
  std::optional<Started> before;
  const auto finish_before = [&] {
    if (!before) return;
    const double loss = finish(*before, state_.sums);
    before.reset();
    if (events.progress) events.progress(state_.sums.images, total, loss);
  };
  const auto pause_if_asked = [&] {
    const Pause pause = together(events.pause ? events.pause() : Pause::no);
    if (pause == Pause::no) return;
    finish_before();
    state_.sums.seconds = seconds_before + seconds_since(start_time);
    if (events.checkpoint) events.checkpoint(state_);
    if (pause == Pause::stop)
      throw StoppedError("training", fmt::format("stopped in epoch {} after {} of {} steps", state_.epoch,
                                                 state_.step, steps));
  };
  ImageBatch batch;
  if (state_.step < steps) train.start_epoch(state_.epoch - 1, state_.step);
  while (state_.step < steps) {
    if (!train.next(batch)) {  // fewer batches than one update needs: go round
      train.start_epoch(state_.epoch - 1);
      train.next(batch);
    }
    start(batch);
    const bool last = (state_.step + 1) % accumulate == 0;
    if (last) apply_update(updates);
    finish_before();
    before = Started{state_.epoch, ++state_.step, last};
    if (last) pause_if_asked();
  }
  finish_before();
  state_.sums.seconds = seconds_before + seconds_since(start_time);
}

void Trainer::validate(Loader& validation, const TrainEvents& events, EpochMetrics& m) {
  if (!validation_) {
    InferenceOptions options;
    options.batch = batch_of_rank(options_);
    options.precision = options_.precision;
    options.weights = Weights::changing;
    options.allow_reference = options_.allow_reference;
    options.prefix = evaluation_prefix();
    validation_ = std::make_unique<Inference>(spec_, options, backend_, store_, memory_);
  }
  const auto pause_if_asked = [&] {
    const Pause pause = together(events.pause ? events.pause() : Pause::no);
    // All steps of the epoch are done: who goes on here begins with the validation.
    if (pause != Pause::no && events.checkpoint) events.checkpoint(state_);
    if (pause == Pause::stop)
      throw StoppedError("training", fmt::format("stopped in the validation of epoch {}", state_.epoch));
  };
  const std::vector<Prediction> predictions = predict(*validation_, validation, comm_, pause_if_asked);
  if (predictions.empty()) return;
  const std::vector<std::string> classes(predictions.front().probabilities.size());
  const Evaluation e = evaluate(predictions, classes);
  m.val_loss = e.loss;
  m.val_top1 = e.top[0];
  m.val_top5 = e.top[4];
}

EpochMetrics Trainer::fit(Loader& train, Loader* validation, const TrainEvents& events,
                          const TrainState& from) {
  state_ = from;
  BestEpoch best(state_.best);
  const auto patient = [&] {
    return options_.patience == 0 || validation == nullptr ||
           state_.epoch - 1 - best.epoch() < options_.patience;
  };
  while (state_.epoch <= options_.epochs && patient()) {
    EpochMetrics m;
    m.epoch = state_.epoch;
    train_epoch(train, events);
    const EpochSums& sums = state_.sums;
    const auto images = static_cast<double>(sums.images);
    m.train_loss = sums.loss * static_cast<double>(options_.batch) / images;
    m.train_top1 = sums.hits / images;
    m.images_per_second = images / sums.seconds;
    const auto start = std::chrono::steady_clock::now();
    if (validation != nullptr) validate(*validation, events, m);
    m.seconds = sums.seconds + seconds_since(start);
    const bool is_best = best.update(m);
    if (events.epoch) events.epoch(m, is_best);
    state_ = {state_.epoch + 1, 0, state_.updates, state_.micro_batches, {}, best.metrics()};
    if (events.checkpoint) events.checkpoint(state_);
  }
  return best.metrics();
}

}  // namespace xf
