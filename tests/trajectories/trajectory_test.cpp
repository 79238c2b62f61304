// A whole backend end to end: twenty steps of a training give the CPU backend's losses.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/core/rng.h"
#include "engine/train/trainer.h"
#include "kernels/cpu/backend.h"
#include "tests/ops/backends.h"
#include "tests/support/small_networks.h"

namespace xf::test {
namespace {

constexpr int kSteps = 20;
constexpr int64_t kBatch = 6;

struct Training {
  const char* name;
  ModelOutputs (*build)(const Net&, Value);
  int size;
};
const Training kTrainings[] = {{"small ResNet", small_resnet, 33}, {"small Inception", small_inception, 15}};

TrainOptions options(Precision precision) {
  TrainOptions o;
  o.batch = kBatch;
  o.precision = precision;
  o.seed = 5;
  o.update.learning_rate = 0.01;
  o.update.weight_decay = 1e-4;
  o.update.rule.ema_decay = 0.9F;
  return o;
}

ImageBatch images(int size, uint64_t step) {
  ImageBatch b{Tensor({kBatch, size, size, 3}, DType::u8),
               Tensor({kBatch, 1, 1, 1}, DType::i32),
               Tensor({kBatch, 1, 1, 1}),
               {}};
  Rng rng(11, step);
  for (uint8_t& x : b.images.as<uint8_t>()) x = static_cast<uint8_t>(rng.below(256));
  for (int32_t& label : b.labels.as<int32_t>()) label = static_cast<int32_t>(rng.below(kSmallClasses));
  for (float& w : b.weights.as<float>()) w = 1;
  return b;
}

/// An observer: executors that have one start their kernels one by one.
struct Watch : StepObserver {
  void before(const PlanStep& /*step*/, const Node& /*node*/) override {}
  void after(const PlanStep& /*step*/, const Node& /*node*/) override {}
};

enum class Captured : uint8_t { no, yes };

std::vector<double> losses(const Training& t, Backend& backend, Precision precision, Captured captured) {
  NetworkSpec spec;
  spec.build = t.build;
  spec.height = spec.width = t.size;
  ParamStore store(backend);
  ActivationMemory memory(backend);
  Trainer trainer(spec, options(precision), backend, store, memory);
  Watch watch;
  if (captured == Captured::no) trainer.executor().observe(&watch);
  std::vector<double> all;
  for (uint64_t step = 0; step < kSteps; ++step) {
    trainer.step(images(t.size, step));
    if (step > 0) all.push_back(trainer.loss());
  }
  all.push_back(trainer.loss());
  return all;
}

std::vector<double> on_cpu(const Training& t, Precision precision) {
  const auto backend = cpu::make_backend(Determinism::any_threads);
  return losses(t, *backend, precision, Captured::no);
}

/// The largest relative difference between two runs' losses.
double apart(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double relative = std::abs(a[i] - b[i]) / std::abs(b[i]);
    worst = relative <= worst ? worst : relative;  // a NaN stays
  }
  return worst;
}

}  // namespace

TEST_CASE("trajectories: f32 losses are the CPU's, captured or not") {
  for (const auto& backend : backends(Determinism::any_threads)) {
    for (const Training& t : kTrainings) {
      CAPTURE(t.name);
      const std::vector<double> expected = on_cpu(t, Precision::f32);
      const std::vector<double> got = losses(t, *backend, Precision::f32, Captured::yes);
      CHECK(apart(got, expected) <= 1e-4);
      CHECK(got == losses(t, *backend, Precision::f32, Captured::no));
      CHECK(expected.back() != doctest::Approx(expected.front()));  // something was learnt
    }
  }
}

TEST_CASE("trajectories: bf16 losses are as far from f32 as the CPU's are") {
  std::string why;
  if (!cpu::make_backend(Determinism::any_threads)->supports(DType::bf16, why)) {
    fmt::print("skipped: bf16 trajectories: {}\n", why);
    return;
  }
  for (const auto& backend : backends(Determinism::any_threads)) {
    if (!backend->supports(DType::bf16, why)) {
      fmt::print("skipped: bf16 trajectories: {}\n", why);
      continue;
    }
    for (const Training& t : kTrainings) {
      CAPTURE(t.name);
      const std::vector<double> single = on_cpu(t, Precision::f32), half = on_cpu(t, Precision::bf16);
      const std::vector<double> got = losses(t, *backend, Precision::bf16, Captured::yes);
      // Two roundings of the same kind and number, independent of each other: twice either's distance from
      // f32.
      CHECK(apart(got, half) <= 2 * apart(half, single));
      CHECK(apart(got, single) <= 2 * apart(half, single));
    }
  }
}

}  // namespace xf::test
