// Trainings on several GPUs, each a thread with a backend of its own: they come to what one comes to alone.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/dist/comm_single.h"
#include "engine/train/trainer.h"
#include "kernels/cuda/module.h"
#include "tests/standin/device.h"
#include "tests/standin/nccl/communicator.h"
#include "tests/standin/paces.h"
#include "tests/standin/streams.h"
#include "tests/standin/turns.h"
#include "tests/support/small_networks.h"

namespace xf::test {
namespace {

constexpr int64_t kImages = 6;  // of a step
constexpr int kSize = 15, kSteps = 4;

/// No batch normalisation, so that it does not matter who computes with which images.
ModelOutputs plain(const Net& n, Value x) {
  x = n.max_pool(n.relu(n.conv(x, "one", 8, 3, 2)), 3, 2, Pad::valid);
  const Value features = n.global_avg_pool(n.relu(n.conv(x, "two", 13, 3, 2)));
  return {features, n.dense(n.dropout(features, 0.3F), "fc", kSmallClasses)};
}

ModelOutputs normalised(const Net& n, Value x) {
  x = n.max_pool(n.unit(x, {"one", 8, 3, 2}), 3, 2, Pad::valid);
  const Value features = n.global_avg_pool(n.unit(x, {"two", 13, 3, 2}));
  return {features, n.dense(features, "fc", kSmallClasses)};
}

struct Case {
  const char* name;
  ModelOutputs (*build)(const Net&, Value);
  int ranks;
  int accumulate = 1;
  Precision precision = Precision::f32;
};

NetworkSpec network(const Case& c) {
  NetworkSpec spec;
  spec.build = c.build;
  spec.height = spec.width = kSize;
  return spec;
}

/// `count` of the images of a micro-batch, beginning at the first.
ImageBatch images(uint64_t number, int64_t first, int64_t count) {
  ImageBatch b{Tensor({count, kSize, kSize, 3}, DType::u8),
               Tensor({count, 1, 1, 1}, DType::i32),
               Tensor({count, 1, 1, 1}),
               {}};
  const int64_t bytes = int64_t{kSize} * kSize * 3;
  for (int64_t i = 0; i < count; ++i) {
    Rng rng(3, number * kImages + static_cast<uint64_t>(first + i));
    for (uint8_t& x :
         b.images.as<uint8_t>().subspan(static_cast<size_t>(i * bytes), static_cast<size_t>(bytes)))
      x = static_cast<uint8_t>(rng.below(256));
    b.labels.as<int32_t>()[static_cast<size_t>(i)] = static_cast<int32_t>(rng.below(kSmallClasses));
    b.weights.as<float>()[static_cast<size_t>(i)] = 1;
  }
  return b;
}

/// An observer: executors that have one start their kernels one by one.
struct Watch : StepObserver {
  void before(const PlanStep& /*step*/, const Node& /*node*/) override {}
  void after(const PlanStep& /*step*/, const Node& /*node*/) override {}
};
enum class Captured : uint8_t { no, yes };

using Weights = std::map<std::string, std::vector<float>>;

/// A training on one rank, with its memory.
class Training {
 public:
  Training(const Case& c, Comm& comm, Captured captured = Captured::yes)
      : backend_(xferrun_cuda_module()->make_backend(comm.rank(), Determinism::fixed_threads)),
        store_(*backend_),
        memory_(*backend_) {
    backend_->join(comm);
    options_.batch = kImages;
    options_.ranks = c.ranks;
    options_.seed = 7;
    options_.precision = c.precision;
    options_.update.accumulate = c.accumulate;
    options_.update.rule.momentum = 0.9F;
    if (c.build == normalised && c.ranks == 1) options_.batch /= c.accumulate;  // the shards of as many ranks
    trainer_ = std::make_unique<Trainer>(network(c), options_, *backend_, store_, memory_,
                                         std::map<std::string, Tensor>{}, comm);
    if (captured == Captured::no) trainer_->executor().observe(&watch_);
    first_ = comm.rank() * batch_of_rank(options_);
  }

  /// One update; returns the sum of this rank's losses.
  double step() {
    Executor& e = trainer_->executor();
    StepParams& params = e.params();
    double loss = 0;
    for (int micro = 0; micro < options_.update.accumulate; ++micro) {
      params.micro_batch = micro;
      const int64_t share = batch_of_rank(options_), all = options_.batch;
      const ImageBatch batch =
          all < kImages ? images(params.counter / static_cast<uint32_t>(options_.update.accumulate),
                                 micro * share, share)
                        : images(params.counter, first_, share);
      e.write("images", batch.images);
      e.write("labels", batch.labels);
      e.write("image_weights", batch.weights);
      e.run_batch();
      e.send(kLoss);
      ++params.counter;
    }
    params.learning_rate.fill(0.05F);
    e.run_update();
    ++params.update;
    for (int micro = 0; micro < options_.update.accumulate; ++micro) {
      const Tensor losses = e.receive(kLoss);
      for (const float x : losses.as<float>()) loss += x;
    }
    return loss;
  }

  [[nodiscard]] Weights weights() const {
    Weights all;
    for (const std::string& name : store_.names()) {
      const Tensor t = store_.get(name);
      // The sums of micro-batches stay each rank's own.
      if (t.dtype() == DType::f32 && name.rfind("sum/", 0) != 0)
        all[name] = {t.as<float>().begin(), t.as<float>().end()};
    }
    return all;
  }

 private:
  TrainOptions options_;
  std::unique_ptr<Backend> backend_;
  ParamStore store_;
  ActivationMemory memory_;
  Watch watch_;
  std::unique_ptr<Trainer> trainer_;
  int64_t first_ = 0;
};

Weights alone(const Case& c) {
  Training training(c, single_comm());
  for (int step = 0; step < kSteps; ++step) training.step();
  return training.weights();
}

/// What each rank comes to.
std::vector<Weights> together(const Case& c, Captured captured = Captured::yes) {
  std::vector<Weights> all(static_cast<size_t>(c.ranks));
  standin::run_ranks(c.ranks, [&](Comm& comm) {
    Training training(c, comm, captured);
    training.step();
    meet(comm);
    const size_t pieces = standin::device_memory().pieces();
    for (int step = 1; step < kSteps; ++step) training.step();
    CHECK(standin::device_memory().pieces() == pieces);  // a step takes no memory
    meet(comm);
    all[static_cast<size_t>(comm.rank())] = training.weights();
  });
  return all;
}

/// The largest difference, in parts of the tensor's largest number; without running statistics.
double difference(const Weights& a, const Weights& b) {
  double worst = 0;
  for (const auto& [name, x] : a) {
    if (name.find("running_") != std::string::npos) continue;
    const std::vector<float>& y = b.at(name);
    double largest = 0, most = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      largest = std::max<double>(largest, std::abs(x[i]));
      most = std::max<double>(most, std::abs(x[i] - y[i]));
    }
    if (largest > 0) worst = std::max(worst, most / largest);
  }
  return worst;
}

}  // namespace

TEST_CASE("ranks: without batch normalisation they come to what one GPU comes to") {
  for (const Case& c :
       {Case{"2 ranks", plain, 2}, Case{"3 ranks", plain, 3}, Case{"2 of 2 each", plain, 2, 2}}) {
    INFO(std::string(c.name));
    Case one = c;
    one.ranks = 1;
    const Weights expected = alone(one);
    at_each_pace([&] {
      const std::vector<Weights> got = together(c);
      for (const Weights& w : got) CHECK(w == got[0]);
      CHECK(difference(expected, got[0]) < 1e-5);
    });
  }
}

TEST_CASE(
    "ranks: with batch normalisation they come to what one GPU comes to that takes their images in turn") {
  const Weights expected = alone({"alone", normalised, 1, 2});
  at_each_pace([&] {
    const std::vector<Weights> got = together({"2 ranks", normalised, 2});
    CHECK(got[1] == got[0]);  // running statistics too
    CHECK(difference(expected, got[0]) < 1e-5);
  });
}

TEST_CASE("ranks: a captured step gives the bits that its kernels give one by one") {
  for (const Case& c :
       {Case{"plain", plain, 2}, Case{"accumulated", plain, 2, 2}, Case{"normalised", normalised, 3},
        Case{"normalised in f16", normalised, 2, 1, Precision::f16}}) {
    INFO(std::string(c.name));
    const size_t before = standin::graphs_made();
    const std::vector<Weights> one_by_one = together(c, Captured::no);
    CHECK(standin::graphs_made() == before);
    CHECK(together(c) == one_by_one);
#ifdef NDEBUG  // elsewhere the arena's watch looks at the memory between kernels
    CHECK(standin::graphs_made() > before);
#endif
  }
}

TEST_CASE("ranks: a lost connection is told to all of them, and nobody waits") {
  for (const Captured captured : {Captured::no, Captured::yes}) {
    std::atomic<int> told = 0;
    standin::run_ranks(2, [&](Comm& comm) {
      Training training({"", plain, 2}, comm, captured);
      for (int step = 0; step < 3; ++step) training.step();
      meet(comm);
      if (comm.rank() == 1) standin::disconnect(ncclRemoteError);
      meet(comm);
      try {
        training.step();
      } catch (const UnavailableError& e) {
        CHECK(std::string(e.what()).find("NCCL: remote process exited or there was a network error") !=
              std::string::npos);
        CHECK(std::string(e.what()).find('\n') == std::string::npos);
        ++told;
      }
      CHECK_THROWS_AS(training.weights(), UnavailableError);
    });
    CHECK(told == 2);
  }
}

TEST_CASE("ranks: one that ends by an error ends the others, whatever they wait for") {
  for (const Captured captured : {Captured::no, Captured::yes}) {
    std::atomic<int> told = 0;
    const auto work = [&](Comm& comm) {
      try {
        Training training({"", plain, 3}, comm, captured);
        for (int step = 0; step < 5; ++step) {
          if (comm.rank() == 2 && step == 3) throw DataError("image", "broken");
          training.step();
        }
      } catch (const UnavailableError&) {
        ++told;
        throw;
      }
    };
    CHECK_THROWS_AS(standin::run_ranks(3, work), Error);
    CHECK(told == 2);
  }
}

TEST_CASE("ranks: two on one GPU are refused, each with the same line") {
  std::atomic<int> refused = 0;
  standin::run_ranks(3, [&](Comm& comm) {
    const auto backend =
        xferrun_cuda_module()->make_backend(comm.rank() == 0 ? 0 : 1, Determinism::fixed_threads);
    try {
      backend->join(comm);
    } catch (const UnavailableError& e) {
      CHECK(std::string(e.what()).find("ranks 1 and 2: have one GPU, of ") == 0);
      CHECK(e.remedy().find("CUDA_VISIBLE_DEVICES") != std::string::npos);
      ++refused;
    }
  });
  CHECK(refused == 3);
}

TEST_CASE("ranks: one that cannot join says why, and the others need not wait") {
  standin::machine().nccl_init = ncclSystemError;
  std::atomic<int> refused = 0;
  standin::run_ranks(2, [&](Comm& comm) {
    const auto backend = xferrun_cuda_module()->make_backend(comm.rank(), Determinism::fixed_threads);
    try {
      backend->join(comm);
    } catch (const UnavailableError& e) {
      CHECK(std::string(e.what()).find(
                "cannot join the other GPUs: NCCL: unhandled system error (no route to the "
                "other ranks)") != std::string::npos);
      ++refused;
    }
  });
  standin::machine().nccl_init = ncclSuccess;
  CHECK(refused == 2);
}

TEST_CASE("ranks: a backend of one rank needs no NCCL") {
  standin::machine().nccl_version = 10000;
  const auto backend = xferrun_cuda_module()->make_backend(0, Determinism::fixed_threads);
  CHECK_NOTHROW(backend->join(single_comm()));
  standin::machine().nccl_version = 0;
}

}  // namespace xf::test
