// Every kind of network trains: its gradients, its dropout and its normalisation work together.

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "engine/core/rng.h"
#include "engine/train/trainer.h"
#include "kernels/cpu/backend.h"
#include "tests/models/model_spec.h"

namespace xf::test {
namespace {

constexpr int kClasses = 3;
constexpr int64_t kBatch = 6;

/// Noise, brighter on the left, on the right or nowhere: a class each.
ImageBatch images(const NetworkSpec& spec) {
  ImageBatch b{Tensor({kBatch, spec.height, spec.width, spec.channels}, DType::u8),
               Tensor({kBatch, 1, 1, 1}, DType::i32),
               Tensor({kBatch, 1, 1, 1}),
               {}};
  Rng rng(7);
  size_t at = 0;
  for (int64_t i = 0; i < kBatch; ++i) {
    const auto label = static_cast<int32_t>(i % kClasses);
    b.labels.as<int32_t>()[static_cast<size_t>(i)] = label;
    b.weights.as<float>()[static_cast<size_t>(i)] = 1;
    for (int64_t y = 0; y < spec.height; ++y)
      for (int64_t x = 0; x < spec.width; ++x)
        for (int64_t c = 0; c < spec.channels; ++c)
          b.images.as<uint8_t>()[at++] =
              static_cast<uint8_t>(rng.below(64) + (2 * x / spec.width == label ? 150 : 0));
  }
  return b;
}

/// The losses of some steps on one batch.
std::vector<double> losses(std::string_view model, Dialect dialect, int side, int steps, double rate) {
  dialect.height = side;
  dialect.width = side + 32;
  NetworkSpec spec = spec_of(model, dialect, kClasses);
  spec.preprocess = Preprocess::unit;
  const std::unique_ptr<Backend> backend = cpu::make_backend(Determinism::fixed_threads);
  ParamStore store(*backend);
  ActivationMemory memory(*backend);
  TrainOptions options;
  options.batch = kBatch;
  options.seed = 3;
  options.update.learning_rate = rate;
  options.update.rule.kind = OptimizerKind::adam;
  Trainer trainer(spec, options, *backend, store, memory);
  const ImageBatch batch = images(spec);
  std::vector<double> all;
  for (int i = 0; i < steps; ++i) {
    trainer.step(batch);
    all.push_back(trainer.loss());
  }
  return all;
}

}  // namespace

TEST_CASE("models: every kind of network learns a batch by heart") {
  Dialect pool = torchvision_dialect("vgg11");
  pool.head = Head::pool;
  struct Case {
    std::string model;
    Dialect dialect;
    int side, steps;
    double rate;
  };
  for (const Case& c :
       {Case{"merged_view", keras_dialect("merged_view"), 76, 140, 1e-3}, Case{"vgg11", pool, 32, 12, 1e-4},
        Case{"inception_v2", caffe_dialect("inception_v2"), 64, 12, 1e-3}}) {
    CAPTURE(c.model);
    const double chance = std::log(kClasses);
    CHECK(losses(c.model, c.dialect, c.side, c.steps, c.rate).back() < 0.5 * chance);
  }
}

}  // namespace xf::test
