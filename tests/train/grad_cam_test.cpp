#include "engine/train/grad_cam.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/core/threads.h"
#include "engine/signal/simulate.h"
#include "engine/train/trainer.h"
#include "kernels/cpu/backend.h"

namespace {

using namespace xf;

constexpr int kSide = 24, kChannels = 40, kClasses = 3;

NetworkSpec small_network(int classes) {
  NetworkSpec spec;
  spec.build = [classes](const Net& n, Value x) {
    x = n.unit(n.unit(x, {"conv1", 16, 3, 2}), {"conv2", kChannels, 3, 2});
    n.graph().set_name("map", x);
    const Value pool = n.global_avg_pool(x);
    n.graph().set_name("pool", pool);
    n.graph().set_name("features", pool);
    return ModelOutputs{pool, classes == 0 ? Value{} : n.dense(pool, "fc", classes)};
  };
  spec.height = spec.width = kSide;
  return spec;
}

struct Bench {
  std::unique_ptr<Backend> backend = cpu::make_backend(Determinism::fixed_threads);
  ParamStore store{*backend};
  ActivationMemory memory{*backend};
};

Tensor random_images(int64_t count) {
  Tensor t({count, kSide, kSide, 3}, DType::u8);
  Rng rng(5);
  for (uint8_t& x : t.as<uint8_t>()) x = static_cast<uint8_t>(rng.next());
  return t;
}

}  // namespace

// Behind a global average pool and one dense layer, Grad-CAM is the class activation map (B. Zhou et al.,
// CVPR 2016): the class's row of weights times the map.
TEST_CASE("Grad-CAM of a linear classifier is its class activation map") {
  constexpr int64_t kBatch = 3;
  const NetworkSpec spec = small_network(kClasses);
  Bench b;
  InferenceOptions reading;
  reading.batch = kBatch;
  reading.results = {"map"};
  Inference network(spec, reading, *b.backend, b.store, b.memory);
  GradCam cam(spec, {.batch = kBatch}, *b.backend, b.store, b.memory);
  b.store.initialise(network.plan().graph(), 3);
  InferenceOptions scores;
  scores.batch = kBatch;
  Inference classifier(spec, scores, *b.backend, b.store, b.memory);
  b.store.initialise(classifier.plan().graph(), 3);
  const Tensor images = random_images(kBatch);
  network.refresh();
  network.run(images);
  const Tensor map = network.result(0), weights = b.store.get("fc.weight");
  REQUIRE(weights.shape().count() == kClasses * kChannels);

  const std::array<int32_t, kBatch> classes{2, 0, 1};
  const std::vector<HeatMap> heat = cam.run(images, classes);
  REQUIRE(heat.size() == kBatch);
  const auto places = static_cast<size_t>(map.shape().h * map.shape().w);
  int with_heat = 0;
  for (size_t i = 0; i < kBatch; ++i) {
    REQUIRE(heat[i].rows == map.shape().h);
    REQUIRE(heat[i].columns == map.shape().w);
    std::vector<double> expected(places), terms(places);
    for (size_t p = 0; p < places; ++p)
      for (size_t c = 0; c < kChannels; ++c) {
        const double term = static_cast<double>(map.as<float>()[(i * places + p) * kChannels + c]) *
                            weights.as<float>()[static_cast<size_t>(classes[i]) * kChannels + c];
        expected[p] += term;
        terms[p] += std::abs(term);
      }
    const double most = *std::max_element(expected.begin(), expected.end());
    if (most <= 0) {  // no place speaks for this class
      CHECK(std::all_of(heat[i].values.begin(), heat[i].values.end(), [](float v) { return v == 0; }));
      continue;
    }
    ++with_heat;
    // The weights pass through a mean over the places, the sums are of kChannels products.
    const double roundings =
        static_cast<double>(kChannels + places + 8) * std::numeric_limits<float>::epsilon();
    const double largest = *std::max_element(terms.begin(), terms.end());
    for (size_t p = 0; p < places; ++p)
      CHECK(std::abs(heat[i].values[p] - std::max(expected[p], 0.0) / most) <=
            2 * roundings * largest / most);
  }
  CHECK(with_heat > 0);
}

TEST_CASE("Grad-CAM: what it refuses") {
  Bench b;
  CHECK_THROWS_AS(GradCam(small_network(0), {}, *b.backend, b.store, b.memory), UsageError);
  GradCam cam(small_network(kClasses), {.batch = 1}, *b.backend, b.store, b.memory);
  CHECK_THROWS_AS(static_cast<void>(cam.run(random_images(1), std::array{kClasses})), InternalError);
}

TEST_CASE("a heat map made larger") {
  const HeatMap map{1, 2, {0, 1}};
  const HeatMap large = resize(map, 2, 8);
  REQUIRE(large.values.size() == 16);
  // Cell middles lie at columns 1.5 and 5.5 of 0 … 7.
  const std::array<float, 8> row{0, 0, 0.125F, 0.375F, 0.625F, 0.875F, 1, 1};
  for (size_t i = 0; i < 16; ++i) CHECK(large.values[i] == doctest::Approx(row[i % 8]));
  CHECK(resize(map, 1, 2).values == map.values);
}

namespace {

/// A batch of simulated glitches of every demonstration kind in turn, as it is trained on.
ImageBatch glitches(int64_t count, uint64_t seed, int side) {
  const auto kinds = demo_kinds();
  ImageBatch b{Tensor({count, side, side, 3}, DType::u8),
               Tensor({count, 1, 1, 1}, DType::i32),
               Tensor({count, 1, 1, 1}),
               {}};
  parallel_for(count, [&](int64_t i) {
    const auto at = static_cast<size_t>(i), kind = at % kinds.size();
    const io::Image image = simulate_spectrogram(kinds[kind], seed, at / kinds.size(), side, side);
    std::copy(image.rgb.begin(), image.rgb.end(),
              b.images.as<uint8_t>().begin() + static_cast<ptrdiff_t>(at * image.rgb.size()));
    b.labels.as<int32_t>()[at] = static_cast<int32_t>(kind);
    b.weights.as<float>()[at] = 1;
  });
  return b;
}

/// The share of the heat that lies on the glitch, and the share of the picture that the glitch is.
struct Shares {
  double heat = 0, area = 0;
};
Shares on_the_signal(const HeatMap& heat, const EnergyMap& signal) {
  constexpr float kVisible =
      3;  // normalised energy: white noise has 1 on average, and 3 in a place of twenty
  const HeatMap large = resize(heat, signal.rows, signal.columns);
  Shares s;
  double all = 0;
  for (int row = 0; row < signal.rows; ++row)
    for (int column = 0; column < signal.columns; ++column) {
      const auto from_top = static_cast<size_t>(signal.rows - 1 - row);
      const double h =
          large.values[from_top * static_cast<size_t>(signal.columns) + static_cast<size_t>(column)];
      const bool lit = signal.at(row, column) >= kVisible;
      all += h;
      s.heat += lit ? h : 0;
      s.area += lit ? 1 : 0;
    }
  return {all > 0 ? s.heat / all : 0, s.area / (signal.rows * signal.columns)};
}

}  // namespace

// The truth is known where the glitch was simulated: its energy without the noise.
TEST_CASE("the heat lies on the signal") {
  constexpr int kPicture = 96;
  constexpr int64_t kBatch = 32, kBatches = 10, kEpochs = 8;
  constexpr uint64_t kTrainSeed = 1, kTestSeed = 2;
  const auto kinds = demo_kinds();
  NetworkSpec spec;
  spec.build = [&](const Net& n, Value x) {
    x = n.chain(
        x,
        {{"conv1", 16, 3, 2}, {"conv2", 32, 3, 2}, {"conv3", 64, 3, 2}, {"conv4", 64, 3}, {"conv5", 64, 3}});
    const Value pool = n.global_avg_pool(x);
    n.graph().set_name("pool", pool);
    return ModelOutputs{pool, n.dense(pool, "fc", static_cast<int>(kinds.size()))};
  };
  spec.height = spec.width = kPicture;
  Bench b;
  TrainOptions options;
  options.batch = kBatch;
  options.epochs = kEpochs;
  options.update.learning_rate = 0.05;
  Trainer trainer(spec, options, *b.backend, b.store, b.memory);
  std::vector<ImageBatch> batches;
  for (int64_t i = 0; i < kBatches; ++i) batches.push_back(glitches(kBatch, kTrainSeed + 100 * i, kPicture));
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch)
    for (const ImageBatch& batch : batches) {
      trainer.step(batch);
      trainer.loss();
    }

  const ImageBatch fresh = glitches(kBatch, kTestSeed, kPicture);
  const auto labels = fresh.labels.as<int32_t>();
  GradCam cam(spec, {.batch = kBatch}, *b.backend, b.store, b.memory);
  const std::vector<HeatMap> heat = cam.run(fresh.images, labels);
  Shares all;
  for (size_t i = 0; i < heat.size(); ++i) {
    const EnergyMap signal = simulate_signal_energy(kinds[static_cast<size_t>(labels[i])], kTestSeed,
                                                    i / kinds.size(), kPicture, kPicture);
    const Shares s = on_the_signal(heat[i], signal);
    all.heat += s.heat;
    all.area += s.area;
  }
  // By chance the signal would have its area's share of the heat. Extended glitches have three to five times
  // that; a blip, smaller than a place of the map, less than it: what tells it apart lies around it too.
  CHECK(all.heat > 2 * all.area);
}
