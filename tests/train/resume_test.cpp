// A training that is stopped anywhere and goes on from what it put down ends with the same bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/core/error.h"
#include "engine/data/loader.h"
#include "engine/train/trainer.h"
#include "kernels/cpu/backend.h"
#include "tests/support/small_images.h"
#include "tests/support/temporary_folder.h"

namespace {

using namespace xf;

/// All that has a memory from step to step: batch normalisation, dropout.
NetworkSpec network() {
  NetworkSpec spec;
  spec.build = [](const Net& n, Value x) {
    const Value map = n.bn(n.conv(x, "conv1", 8, 3), "bn1", Activation::relu);
    const Value features = n.dropout(n.global_avg_pool(map), 0.3F);
    return ModelOutputs{features, n.dense(features, "fc", 3)};
  };
  spec.height = spec.width = 8;
  return spec;
}

using Tensors = std::vector<std::pair<std::string, Tensor>>;

struct Outcome {
  EpochMetrics best;
  Tensors tensors;
  std::vector<EpochMetrics> epochs;
};

Tensors tensors_of(const ParamStore& store) {
  Tensors all;
  for (const std::string& name : store.names()) all.emplace_back(name, store.get(name));
  return all;
}

/// Trains from a state, or from the beginning; stops when it has asked so often, if ever, and tells where.
struct Stopped {
  TrainState state;
  Tensors tensors;
};
Outcome train(const TrainOptions& options, const std::vector<Sample>& samples, const Stopped* from, int asked,
              Stopped* stopped) {
  const auto backend = cpu::make_backend(Determinism::any_threads);
  ParamStore store(*backend);
  ActivationMemory memory(*backend);
  Trainer trainer(network(), options, *backend, store, memory);
  if (from != nullptr)
    for (const auto& [name, tensor] : from->tensors) store.set(name, tensor);
  LoaderOptions load;
  load.batch = options.batch;
  load.height = load.width = 8;
  load.seed = 9;
  load.augment = parse_augment(std::vector<std::string>{"time-shift=0.2", "gain=0.1"});
  Loader training(samples, load);
  load.order = Order::sequential;
  load.last = LastBatch::pad;
  load.augment = {};
  Loader validation({samples.begin(), samples.begin() + 10}, load);
  Outcome result;
  TrainEvents events;
  events.epoch = [&](const EpochMetrics& m, bool) { result.epochs.push_back(m); };
  int done = 0;
  events.pause = [&] { return ++done == asked ? Pause::stop : Pause::no; };
  events.checkpoint = [&](const TrainState& state) {
    if (stopped != nullptr) *stopped = {state, tensors_of(store)};
  };
  try {
    result.best = trainer.fit(training, &validation, events, from == nullptr ? TrainState{} : from->state);
  } catch (const StoppedError&) {
    CHECK(asked > 0);
  }
  result.tensors = tensors_of(store);
  return result;
}

void check_same(const Outcome& a, const Outcome& b, size_t epochs_before) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    CAPTURE(a.tensors[i].first);
    REQUIRE(a.tensors[i].first == b.tensors[i].first);
    CHECK(std::memcmp(a.tensors[i].second.data(), b.tensors[i].second.data(), a.tensors[i].second.bytes()) ==
          0);
  }
  CHECK(a.best.epoch == b.best.epoch);
  CHECK(a.best.val_loss == b.best.val_loss);
  REQUIRE(a.epochs.size() == epochs_before + b.epochs.size());
  for (size_t i = 0; i < b.epochs.size(); ++i) {
    CHECK(a.epochs[epochs_before + i].train_loss == b.epochs[i].train_loss);
    CHECK(a.epochs[epochs_before + i].train_top1 == b.epochs[i].train_top1);
    CHECK(a.epochs[epochs_before + i].val_loss == b.epochs[i].val_loss);
  }
}

TrainOptions adam() {
  TrainOptions o;
  o.batch = 4;
  o.epochs = 3;
  o.seed = 4;
  o.update.rule.kind = OptimizerKind::adam;
  o.update.rule.ema_decay = 0.9F;
  o.update.learning_rate = 0.01;
  o.update.accumulate = 2;
  o.schedule = {ScheduleKind::cosine, 1, 30, 0.1};
  return o;
}

}  // namespace

TEST_CASE("a training stopped after any update, or in a validation, ends with the same bits") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples =
      test::write_images(folder, 30);  // 8 micro-batches of 4, 4 updates an epoch
  const TrainOptions options = adam();
  const Outcome whole = train(options, samples, nullptr, 0, nullptr);
  REQUIRE(whole.epochs.size() == 3);
  constexpr int kAnEpoch = 4 + 3;  // and three batches of the validation part
  for (int asked = 1; asked <= 3 * kAnEpoch; ++asked) {
    CAPTURE(asked);
    Stopped stopped;
    const Outcome first = train(options, samples, nullptr, asked, &stopped);
    CHECK(stopped.state.epoch == (asked - 1) / kAnEpoch + 1);
    CHECK(stopped.state.step == std::min((asked - 1) % kAnEpoch * 2 + 2, 8));
    check_same(whole, train(options, samples, &stopped, 0, nullptr), first.epochs.size());
  }
}

TEST_CASE("what is put down after the last epoch leaves nothing to do") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, 30);
  Stopped end;
  const Outcome whole = train(adam(), samples, nullptr, 0, &end);
  CHECK(end.state.epoch == 4);
  check_same(whole, train(adam(), samples, &end, 0, nullptr), 3);
}

TEST_CASE("patience is kept over a stop") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, 30);
  TrainOptions options = adam();
  options.epochs = 30;
  options.patience = 2;
  const Outcome whole = train(options, samples, nullptr, 0, nullptr);
  REQUIRE(whole.epochs.size() < 30);
  Stopped stopped;
  const int asked = 7 * (static_cast<int>(whole.epochs.size()) - 1) + 2;  // within the last epoch
  const Outcome first = train(options, samples, nullptr, asked, &stopped);
  check_same(whole, train(options, samples, &stopped, 0, nullptr), first.epochs.size());
  Stopped end;
  static_cast<void>(train(options, samples, nullptr, 0, &end));
  check_same(whole, train(options, samples, &end, 0, nullptr), whole.epochs.size());
}
