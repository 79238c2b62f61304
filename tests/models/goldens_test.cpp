// Every network against its framework: weights and an image made by a formula, of which goldens.h5 keeps what
// torchvision, Keras and Cadene's BN-Inception give (tests/parity/goldens/make.py).

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/io/hdf5.h"
#include "engine/train/inference.h"
#include "kernels/cpu/backend.h"
#include "tests/models/formula.h"
#include "tests/models/model_spec.h"

namespace xf::test {
namespace {

struct Golden {
  Family family;
  const char* model;
  int height, width;
  std::vector<std::string> results;
};

std::vector<Golden> goldens() {
  const std::vector<std::string> usual{"features", "logits"}, with_pool{"features", "logits", "pool"};
  std::vector<Golden> all{{Family::caffe, "inception_v2", 96, 128, usual},
                          {Family::keras, "inception_v3", 139, 107, usual},
                          {Family::torchvision, "inception_v3", 139, 107, usual},
                          {Family::keras, "merged_view", 140, 170, usual}};
  for (const char* model : {"resnet50", "resnet101", "resnet152"})
    all.push_back({Family::keras, model, 75, 107, usual});
  for (const char* model : {"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"})
    all.push_back({Family::torchvision, model, 75, 107, usual});
  for (const char* model : {"vgg16", "vgg19"}) all.push_back({Family::keras, model, 64, 96, with_pool});
  for (const char* model :
       {"vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"})
    all.push_back({Family::torchvision, model, 64, 96, with_pool});
  return all;
}

NetworkSpec network(const Golden& golden) {
  constexpr int kClasses = 7;
  Dialect dialect = family_dialect(golden.family, golden.model);
  dialect.height = golden.height;
  dialect.width = golden.width;
  return spec_of(golden.model, dialect, kClasses);
}

/// The results of the network for the formula's weights and image.
std::vector<Tensor> compute(const Golden& golden) {
  const std::unique_ptr<Backend> backend = cpu::make_backend(Determinism::fixed_threads);
  ParamStore store(*backend);
  ActivationMemory memory(*backend);
  const NetworkSpec spec = network(golden);
  InferenceOptions options;
  options.batch = 1;
  options.input = InputKind::tensor;
  options.results = golden.results;
  Inference inference(spec, options, *backend, store, memory);
  for (const std::string& name : store.names()) store.set(name, formula_weights(name, store.shape(name)));
  inference.refresh();
  inference.run(noise("image", {1, spec.height, spec.width, spec.channels}));
  std::vector<Tensor> results;
  for (size_t i = 0; i < golden.results.size(); ++i) results.push_back(inference.result(i));
  return results;
}

}  // namespace

TEST_CASE("models: every network gives what its framework gives") {
  const hdf5::File file(XFERRUN_GOLDENS);
  for (const Golden& golden : goldens()) {
    const std::string place = fmt::format("{}/{}", name(golden.family), golden.model);
    CAPTURE(place);
    const std::vector<Tensor> results = compute(golden);
    for (size_t i = 0; i < results.size(); ++i) {
      CAPTURE(golden.results[i]);
      const std::vector<float> expected = file.read<float>(place + "/" + golden.results[i]);
      const auto got = results[i].as<float>();
      REQUIRE(got.size() == expected.size());
      float largest = 0, worst = 0;
      for (size_t k = 0; k < expected.size(); ++k) {
        largest = std::max(largest, std::abs(expected[k]));
        worst = std::max(worst, std::abs(got[k] - expected[k]));
      }
      // f32 sums of up to 4608 products in up to 152 layers, whose roundings are independent:
      // sqrt(4608 * 152) * 2^-24 = 5e-5, and as much on the other side.
      CHECK(worst <= 1e-4F * largest);
    }
  }
}

}  // namespace xf::test
