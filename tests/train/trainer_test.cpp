#include "engine/train/trainer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "kernels/cpu/backend.h"

namespace {

using namespace xf;

/// Convolution, global average, classifier: no batch normalisation, so that halves of a batch add up to the
/// whole.
NetworkSpec plain_network() {
  NetworkSpec spec;
  spec.build = [](const Net& n, Value x) {
    const Value features =
        n.global_avg_pool(n.graph().add(Act{Activation::relu}, {n.conv(x, "conv1", 8, 3)}));
    return ModelOutputs{features, n.dense(features, "fc", 3)};
  };
  spec.height = spec.width = 8;
  return spec;
}

ImageBatch images(int64_t count, uint64_t seed) {
  ImageBatch b{Tensor({count, 8, 8, 3}, DType::u8),
               Tensor({count, 1, 1, 1}, DType::i32),
               Tensor({count, 1, 1, 1}),
               {}};
  Rng rng(seed);
  for (int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<int32_t>(rng.below(3));
    b.labels.as<int32_t>()[static_cast<size_t>(i)] = label;
    b.weights.as<float>()[static_cast<size_t>(i)] = 1;
    for (int64_t p = 0; p < 64; ++p)  // a class is a channel that is brighter
      for (int64_t c = 0; c < 3; ++c)
        b.images.as<uint8_t>()[static_cast<size_t>((i * 64 + p) * 3 + c)] =
            static_cast<uint8_t>(rng.below(128) + (c == label ? 120 : 0));
  }
  return b;
}

ImageBatch half(const ImageBatch& whole, int64_t first, int64_t count) {
  ImageBatch b{Tensor({count, 8, 8, 3}, DType::u8),
               Tensor({count, 1, 1, 1}, DType::i32),
               Tensor({count, 1, 1, 1}),
               {}};
  const auto copy = [&]<class T>(const Tensor& from, Tensor& to, T) {
    const auto per = static_cast<size_t>(from.shape().count() / from.shape().n);
    for (size_t i = 0; i < to.as<T>().size(); ++i)
      to.as<T>()[i] = from.as<T>()[static_cast<size_t>(first) * per + i];
  };
  copy(whole.images, b.images, uint8_t{});
  copy(whole.labels, b.labels, int32_t{});
  copy(whole.weights, b.weights, float{});
  return b;
}

/// A trainer with everything that it stands on.
struct Bench {
  explicit Bench(const TrainOptions& options)
      : backend(cpu::make_backend(Determinism::any_threads)),
        store(*backend),
        memory(*backend),
        trainer(plain_network(), options, *backend, store, memory) {}
  std::unique_ptr<Backend> backend;
  ParamStore store;
  ActivationMemory memory;
  Trainer trainer;
};

TrainOptions options_of(int64_t batch, int accumulate) {
  TrainOptions o;
  o.batch = batch;
  o.epochs = 1;
  o.seed = 4;
  o.update.accumulate = accumulate;
  o.update.learning_rate = 0.1;
  return o;
}

}  // namespace

TEST_CASE("steps on separable images lower the loss to nearly nothing") {
  for (const OptimizerKind kind :
       {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::adadelta}) {
    TrainOptions o = options_of(16, 1);
    o.update.rule.kind = kind;
    o.update.rule.eps = kind == OptimizerKind::adadelta ? 1e-4F : 1e-8F;
    o.update.learning_rate = kind == OptimizerKind::adadelta ? 1 : kind == OptimizerKind::sgd ? 0.1 : 0.01;
    Bench bench(o);
    const ImageBatch batch = images(16, 1);
    const auto loss_after_step = [&] {
      bench.trainer.step(batch);
      return bench.trainer.loss();
    };
    const double first = loss_after_step();
    double last = first;
    for (int i = 0; i < 150; ++i) last = loss_after_step();
    CAPTURE(name(kind));
    CHECK(std::abs(first - std::log(3.0)) < 1);  // an untrained classifier of three classes
    CHECK(last < 0.2 * first);
  }
}

TEST_CASE("two accumulated halves update like one whole batch") {
  const ImageBatch whole = images(8, 2);
  Bench once(options_of(8, 1)), twice(options_of(4, 2));
  once.trainer.step(whole);
  // Trainer::step() updates after each micro-batch, so the halves go through the executor itself.
  for (int part = 0; part < 2; ++part) {
    const ImageBatch b = half(whole, part * 4, 4);
    Executor& e = twice.trainer.executor();
    e.write("images", b.images);
    e.write("labels", b.labels);
    e.write("image_weights", b.weights);
    e.params().micro_batch = part;
    e.params().learning_rate = {0.1F, 0.1F, 0, 0};
    e.params().update = 1;
    e.run_batch();
  }
  twice.trainer.executor().run_update();
  for (const char* name : {"conv1.weight", "fc.weight", "fc.bias"}) {
    const Tensor a = once.store.get(name), b = twice.store.get(name);
    for (size_t i = 0; i < a.as<float>().size(); ++i) {
      // The same sum of 8 images' gradients in another order: a few roundings of f32.
      const double scale = std::max(1e-3, std::abs(static_cast<double>(a.as<float>()[i])));
      CHECK(std::abs(a.as<float>()[i] - b.as<float>()[i]) <= 64 * 1.2e-7 * scale);
    }
  }
}

TEST_CASE("averaged weights follow the weights, and start at them") {
  TrainOptions o = options_of(8, 1);
  o.update.rule.ema_decay = 0.5F;
  Bench bench(o);
  const Tensor start = bench.store.get("fc.weight");
  const Tensor average_start = bench.store.get("ema/fc.weight");
  bench.trainer.step(images(8, 3));
  const Tensor now = bench.store.get("fc.weight"), average = bench.store.get("ema/fc.weight");
  for (size_t i = 0; i < start.as<float>().size(); ++i) {
    CHECK(average_start.as<float>()[i] == start.as<float>()[i]);
    CHECK(average.as<float>()[i] ==
          doctest::Approx(0.5 * (start.as<float>()[i] + now.as<float>()[i])).epsilon(1e-5));
  }
  CHECK(bench.trainer.evaluation_prefix() == "ema/");
}

TEST_CASE("frozen parameters keep their bits, and freezing all is refused") {
  NetworkSpec spec = plain_network();
  spec.net.freeze = {"conv1.*"};
  const auto backend = cpu::make_backend(Determinism::any_threads);
  ParamStore store(*backend);
  ActivationMemory memory(*backend);
  Trainer trainer(spec, options_of(8, 1), *backend, store, memory);
  const Tensor conv = store.get("conv1.weight"), fc = store.get("fc.weight");
  trainer.step(images(8, 5));
  CHECK(store.get("conv1.weight").as<float>()[0] == conv.as<float>()[0]);
  CHECK(store.get("fc.weight").as<float>()[0] != fc.as<float>()[0]);
  spec.net.freeze = {"*"};
  CHECK_THROWS_AS(record_training(spec, 8, {}, {}), UsageError);
}
