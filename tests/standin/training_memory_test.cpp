// What a training takes of the device's memory, and what happens when a larger plan joins it.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "engine/core/rng.h"
#include "engine/train/trainer.h"
#include "tests/ops/backends.h"
#include "tests/standin/device.h"
#include "tests/standin/streams.h"
#include "tests/support/small_networks.h"

namespace xf::test {
namespace {

constexpr int64_t kBatch = 4;
constexpr int kSize = 15;

NetworkSpec network() {
  NetworkSpec spec;
  spec.build = small_inception;
  spec.height = spec.width = kSize;
  return spec;
}

Tensor images(int64_t count, uint64_t seed) {
  Tensor t({count, kSize, kSize, 3}, DType::u8);
  Rng rng(seed);
  for (uint8_t& x : t.as<uint8_t>()) x = static_cast<uint8_t>(rng.below(256));
  return t;
}

ImageBatch batch(uint64_t seed) {
  ImageBatch b{images(kBatch, seed), Tensor({kBatch, 1, 1, 1}, DType::i32), Tensor({kBatch, 1, 1, 1}), {}};
  for (float& w : b.weights.as<float>()) w = 1;
  return b;
}

}  // namespace

TEST_CASE("a training takes its memory in one piece: weights, activations, inputs on their way") {
  for (const auto& backend : backends(Determinism::any_threads)) {
    ParamStore store(*backend);
    ActivationMemory memory(*backend);
    TrainOptions options;
    options.batch = kBatch;
    std::map<std::string, Tensor> weights;
    const TrainGraph recorded = record_training(network(), kBatch, {}, {});
    for (const Value& v : recorded.graph->sources(Source::param))
      if (recorded.graph->node(v).name == "fc.bias") weights["fc.bias"] = Tensor(v.shape());
    REQUIRE(weights.size() == 1);
    weights["fc.bias"].as<float>()[2] = 0.25F;

    const size_t pieces = standin::device_memory().pieces();
    Trainer trainer(network(), options, *backend, store, memory, weights);
    CHECK(store.get("fc.bias").as<float>()[2] == 0.25F);
    for (uint64_t step = 0; step < 3; ++step) {
      trainer.step(batch(step));
      CHECK(trainer.loss() > 0);
    }
    CHECK(standin::device_memory().pieces() == pieces + 1);
  }
}

TEST_CASE("a plan whose memory moved is recorded anew, and finds everything in its new place") {
  for (const auto& backend : backends(Determinism::any_threads)) {
    ParamStore store(*backend);
    ActivationMemory memory(*backend);
    InferenceOptions options;
    options.batch = 1;
    Inference small(network(), options, *backend, store, memory);
    store.initialise(small.plan().graph(), 1);
    const auto result = [](Inference& inference, int64_t count, uint64_t seed) {
      inference.run(images(count, seed));
      return inference.result(0);
    };
    small.refresh();
    std::map<uint64_t, Tensor> before;
    for (const uint64_t seed : {1, 2, 3}) before[seed] = result(small, 1, seed);
    [[maybe_unused]] const size_t recorded = standin::graphs_made();

    options.batch = 64;
    Inference large(network(), options, *backend, store, memory);
    large.refresh();
    static_cast<void>(result(large, 64, 9));
    for (const uint64_t seed : {1, 2, 3}) {
      const Tensor after = result(small, 1, seed);
      CHECK(std::equal(after.data(), after.data() + after.bytes(), before[seed].data()));
    }
#ifdef NDEBUG  // elsewhere the arena's watch looks at the memory between kernels
    CHECK(standin::graphs_made() == recorded + 1);
#endif
  }
}

}  // namespace xf::test
