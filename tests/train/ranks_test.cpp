// A training that several ranks share: the same as one process's, to rounding, and the same bits on all of
// them and each time.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/data/loader.h"
#include "engine/train/predict.h"
#include "engine/train/trainer.h"
#include "kernels/cpu/backend.h"
#include "tests/support/small_images.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thread_comm.h"

namespace {

using namespace xf;

constexpr int kImages = 48, kBatch = 24;

struct Network : NetworkSpec {
  Augment augment;  ///< of its training images
};

/// Without batch normalisation the shares of a batch add up to the whole. Seven features of an image: a group
/// of four random numbers is shared by two images.
Network plain_network() {
  Network spec;
  spec.augment = parse_augment(std::vector<std::string>{"gain=0.1"});
  spec.build = [](const Net& n, Value x) {
    const Value map = n.graph().add(Act{Activation::relu}, {n.conv(x, "conv1", 7, 3)});
    const Value features = n.dropout(n.global_avg_pool(map), 0.3F);
    return ModelOutputs{features, n.dense(features, "fc", 3)};
  };
  spec.height = spec.width = 8;
  return spec;
}

Network normalised_network() {
  Network spec;
  spec.build = [](const Net& n, Value x) {
    const Value map = n.bn(n.conv(x, "conv1", 8, 3), "bn1", Activation::relu);
    const Value features = n.global_avg_pool(n.bn(n.conv(map, "conv2", 8, 3), "bn2", Activation::relu));
    return ModelOutputs{features, n.dense(features, "fc", 3)};
  };
  spec.height = spec.width = 8;
  return spec;
}

using Tensors = std::map<std::string, Tensor>;

/// Where a training is put down.
struct Stopped {
  TrainState state;
  Tensors tensors;
};

struct Outcome {
  Tensors tensors;
  std::vector<EpochMetrics> epochs;
  std::vector<Prediction> predictions;  ///< of the first 13 images, by the last weights
  Stopped stopped;
};

LoaderOptions loader_options(const TrainOptions& options, const Comm& comm) {
  LoaderOptions load;
  load.batch = batch_of_rank(options);
  load.shard = {comm.rank(), comm.size()};
  load.height = load.width = 8;
  load.seed = 9;
  return load;
}

/// One rank's training, from a state or the beginning. `wish` is asked after each update.
Outcome train(const Network& spec, TrainOptions options, const std::vector<Sample>& samples, Comm& comm,
              const Stopped* from = nullptr, const std::function<Pause()>& wish = {}) {
  options.ranks = comm.size();
  const auto backend = cpu::make_backend(Determinism::any_threads);
  backend->join(comm);
  ParamStore store(*backend);
  ActivationMemory memory(*backend);
  Trainer trainer(spec, options, *backend, store, memory, {}, comm);
  if (from != nullptr)
    for (const auto& [name, tensor] : from->tensors) store.set(name, tensor);
  const auto tensors = [&] {
    Tensors all;
    for (const std::string& name : store.names()) all.emplace(name, store.get(name));
    return all;
  };
  LoaderOptions load = loader_options(options, comm);
  load.augment = spec.augment;
  Loader training(samples, load);
  load.order = Order::sequential;
  load.last = LastBatch::pad;
  load.augment = {};
  Loader validation({samples.begin(), samples.begin() + 13}, load);
  Outcome result;
  TrainEvents events;
  events.epoch = [&](const EpochMetrics& m, bool) { result.epochs.push_back(m); };
  events.pause = wish;
  events.checkpoint = [&](const TrainState& state) { result.stopped = {state, tensors()}; };
  try {
    trainer.fit(training, &validation, events, from == nullptr ? TrainState{} : from->state);
  } catch (const StoppedError&) {
    return result;
  }
  InferenceOptions inference;
  inference.batch = batch_of_rank(options);
  inference.weights = Weights::changing;
  Inference network(spec, inference, *backend, store, memory);
  result.predictions = predict(network, validation, comm);
  result.tensors = tensors();
  return result;
}

/// Of every rank.
std::vector<Outcome> train_ranks(int ranks, const Network& spec, const TrainOptions& options,
                                 const std::vector<Sample>& samples, const Stopped* from = nullptr) {
  std::vector<Outcome> all(static_cast<size_t>(ranks));
  test::run_ranks(ranks, [&](Comm& comm) {
    all[static_cast<size_t>(comm.rank())] = train(spec, options, samples, comm, from);
  });
  return all;
}

TrainOptions options_of(OptimizerKind kind, int accumulate = 1) {
  TrainOptions o;
  o.epochs = 2;
  o.batch = kBatch;
  o.seed = 4;
  o.update.accumulate = accumulate;
  o.update.rule.kind = kind;
  o.update.rule.ema_decay = 0.9F;
  o.update.learning_rate = 0.05;
  return o;
}

/// |a - b| relative to |b|, both taken over the whole tensor.
double distance(const Tensor& a, const Tensor& b) {
  double difference = 0, size = 0;
  const auto x = a.as<float>(), y = b.as<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    difference += (x[i] - y[i]) * (x[i] - y[i]);
    size += y[i] * y[i];
  }
  return std::sqrt(difference / std::max(size, 1e-30));
}

bool same_bits(const Tensor& a, const Tensor& b) { return std::memcmp(a.data(), b.data(), a.bytes()) == 0; }

bool is_running(const std::string& name) { return name.find("running_") != std::string::npos; }

void check_near(const Tensors& a, const Tensors& b, bool (*left_out)(const std::string&)) {
  for (const auto& [name, tensor] : a) {
    CAPTURE(name);
    if (!left_out(name) && name.rfind("sum/", 0) != 0) CHECK(distance(tensor, b.at(name)) < 1e-5);
  }
}

bool none(const std::string& /*name*/) { return false; }

void check_alike(const std::vector<Outcome>& ranks) {
  for (const Outcome& rank : ranks) {
    for (const auto& [name, tensor] : rank.tensors) {
      CAPTURE(name);
      CHECK((name.rfind("sum/", 0) == 0 || same_bits(tensor, ranks[0].tensors.at(name))));
    }
    REQUIRE(rank.epochs.size() == ranks[0].epochs.size());
    for (size_t e = 0; e < rank.epochs.size(); ++e) {
      CHECK(rank.epochs[e].train_loss == ranks[0].epochs[e].train_loss);
      CHECK(rank.epochs[e].val_loss == ranks[0].epochs[e].val_loss);
    }
  }
}

}  // namespace

TEST_CASE("ranks that share a batch train as one process does") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  for (const int ranks : {2, 3, 4}) {
    CAPTURE(ranks);
    const TrainOptions options = options_of(OptimizerKind::sgd);
    const Outcome one = train(plain_network(), options, samples, single_comm());
    const std::vector<Outcome> several = train_ranks(ranks, plain_network(), options, samples);
    check_alike(several);
    check_near(several[0].tensors, one.tensors, none);
    REQUIRE(several[0].epochs.size() == one.epochs.size());
    for (size_t e = 0; e < one.epochs.size(); ++e) {
      CHECK(several[0].epochs[e].train_loss == doctest::Approx(one.epochs[e].train_loss).epsilon(1e-5));
      CHECK(several[0].epochs[e].train_top1 == one.epochs[e].train_top1);
      CHECK(*several[0].epochs[e].val_loss == doctest::Approx(*one.epochs[e].val_loss).epsilon(1e-5));
    }
    REQUIRE(several[0].predictions.size() == 13);
    for (size_t i = 0; i < 13; ++i) {
      CHECK(several[0].predictions[i].sample == static_cast<int64_t>(i));
      CHECK(several[0].predictions[i].label == one.predictions[i].label);
      for (size_t c = 0; c < 3; ++c)
        CHECK(several[0].predictions[i].probabilities[c] ==
              doctest::Approx(one.predictions[i].probabilities[c]).epsilon(1e-5));
    }
  }
}

TEST_CASE("batch normalisation sees each rank's images alone, as it sees micro-batches") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  for (const int ranks : {2, 4}) {
    CAPTURE(ranks);
    TrainOptions micro = options_of(OptimizerKind::sgd, ranks);
    micro.batch = kBatch / ranks;
    const Outcome one = train(normalised_network(), micro, samples, single_comm());
    const std::vector<Outcome> several =
        train_ranks(ranks, normalised_network(), options_of(OptimizerKind::sgd), samples);
    check_alike(several);
    check_near(several[0].tensors, one.tensors, is_running);
  }
}

TEST_CASE("running statistics are the mean of what the ranks saw") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  TrainOptions options = options_of(OptimizerKind::sgd);
  options.epochs = 1;
  options.batch = kImages;  // one step: all see it with the first weights
  const std::vector<Outcome> several = train_ranks(2, normalised_network(), options, samples);
  // Each rank's share by itself.
  std::vector<Outcome> alone(2);
  for (size_t rank = 0; rank < 2; ++rank) {
    const std::vector<int64_t> order = epoch_order(kImages, Order::shuffled, 9, 0);
    std::vector<Sample> share;
    for (size_t i = 0; i < kImages / 2; ++i)
      share.push_back(samples[static_cast<size_t>(order[rank * kImages / 2 + i])]);
    TrainOptions half = options;
    half.batch = kImages / 2;
    alone[rank] = train(normalised_network(), half, share, single_comm());
  }
  for (const auto& [name, tensor] : several[0].tensors) {
    if (!is_running(name) || name.rfind("ema/", 0) == 0) continue;
    CAPTURE(name);
    const Tensor &a = alone[0].tensors.at(name), &b = alone[1].tensors.at(name);
    for (size_t i = 0; i < tensor.as<float>().size(); ++i)
      CHECK(tensor.as<float>()[i] ==
            doctest::Approx((a.as<float>()[i] + b.as<float>()[i]) / 2).epsilon(1e-5));
  }
}

TEST_CASE("ranks that share micro-batches train as one process does") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  TrainOptions options = options_of(OptimizerKind::adam, 2);
  options.batch = kBatch / 2;
  options.update.learning_rate = 1e-3;
  const Outcome one = train(plain_network(), options, samples, single_comm());
  const std::vector<Outcome> several = train_ranks(2, plain_network(), options, samples);
  check_alike(several);
  check_near(several[0].tensors, one.tensors, none);
}

TEST_CASE("the same ranks give the same bits each time") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  const TrainOptions options = options_of(OptimizerKind::adam);
  const std::vector<Outcome> a = train_ranks(3, normalised_network(), options, samples),
                             b = train_ranks(3, normalised_network(), options, samples);
  check_alike(a);
  for (const auto& [name, tensor] : a[0].tensors) {
    CAPTURE(name);
    CHECK(same_bits(tensor, b[0].tensors.at(name)));
  }
}

TEST_CASE("one rank's wish stops all; other ranks go on with the same images") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  const TrainOptions options = options_of(OptimizerKind::sgd);
  const Outcome whole = train(plain_network(), options, samples, single_comm());
  std::vector<Outcome> stopped(2);
  test::run_ranks(2, [&](Comm& comm) {
    int asked = 0;
    const auto wish = [&] { return ++asked == 4 && comm.rank() == 1 ? Pause::stop : Pause::no; };
    stopped[static_cast<size_t>(comm.rank())] = train(plain_network(), options, samples, comm, nullptr, wish);
  });
  CHECK(stopped[0].stopped.state.updates == 3);
  CHECK(stopped[1].stopped.state.updates == 3);
  for (const int ranks : {2, 3}) {
    CAPTURE(ranks);
    const std::vector<Outcome> rest =
        train_ranks(ranks, plain_network(), options, samples, &stopped[0].stopped);
    check_alike(rest);
    check_near(rest[0].tensors, whole.tensors, none);
    CHECK(rest[0].epochs.back().train_loss == doctest::Approx(whole.epochs.back().train_loss).epsilon(1e-5));
  }
}

TEST_CASE("a batch that cannot be shared out is refused") {
  TrainOptions options;
  for (const auto& [batch, ranks] : {std::pair{16, 3}, {2, 2}, {8, 8}}) {
    options.batch = batch;
    options.ranks = ranks;
    CHECK_THROWS_AS(batch_of_rank(options), UsageError);
  }
  options.batch = 16;
  options.ranks = 8;
  CHECK(batch_of_rank(options) == 2);
}

TEST_CASE("ranks' loaders give every image of an epoch once") {
  const test::TemporaryFolder folder;
  const std::vector<Sample> samples = test::write_images(folder, kImages);
  for (const auto& [ranks, batch] : {std::pair{2, 4}, {3, 5}, {5, 2}}) {
    CAPTURE(ranks);
    for (const LastBatch last : {LastBatch::wrap, LastBatch::pad}) {
      LoaderOptions load;
      load.height = load.width = 8;
      load.last = last;
      load.batch = int64_t{ranks} * batch;
      Loader whole(samples, load);
      load.batch = batch;
      std::vector<std::unique_ptr<Loader>> shares;
      for (int rank = 0; rank < ranks; ++rank) {
        load.shard = {rank, ranks};
        shares.push_back(std::make_unique<Loader>(samples, load));
        CHECK(shares.back()->batches() == whole.batches());
        shares.back()->start_epoch(1);
      }
      whole.start_epoch(1);
      for (ImageBatch all; whole.next(all);) {
        std::vector<int64_t> found;
        for (const auto& share : shares) {
          ImageBatch part;
          REQUIRE(share->next(part));
          found.insert(found.end(), part.samples.begin(), part.samples.end());
        }
        CHECK(found == all.samples);
      }
    }
  }
}
