// Memory traffic (stated_traffic.h) of losses, sums of gradients, optimizers and weights packed anew.

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "engine/graph/ops.h"
#include "kernels/cuda/accumulate.h"
#include "kernels/cuda/optimize.h"
#include "kernels/cuda/pack.h"
#include "kernels/cuda/softmax.h"
#include "kernels/cuda/weight_layout.h"
#include "tests/simt/stated_traffic.h"

namespace xf::test {
namespace {

// The tensors of a convolution with its batch normalisation, and of a small classifier: one after another,
// each of a row's tensors holds a number for each of theirs.
constexpr std::array<int64_t, 5> kCounts{3 * 3 * 128 * 128, 128, 128, 128 * 200, 200};
constexpr int64_t all_counts() {
  int64_t all = 0;
  for (const int64_t count : kCounts) all += count;
  return all;
}
constexpr size_t kBytes = bytes_of(all_counts(), DType::f32);

Family accumulate(const char* name, int micro_batch) {
  return {
      name, {{"sum", kBytes, micro_batch == 0 ? 0 : 1, 1}, {"gradient", kBytes, 1, 0}}, 0, [=](Memory& m) {
        std::vector<cuda::AccumulateTensor> tensors;
        float *sum = m.tensor("sum"), *gradient = m.tensor("gradient");
        for (const int64_t count : kCounts) {
          tensors.push_back({sum, gradient, sum, count});
          sum += count;
          gradient += count;
        }
        StepParams step;
        step.micro_batch = micro_batch;
        REQUIRE(cuda::accumulate(m.holding(step), tensors, nullptr) == 0);
      }};
}

// In place, every tensor trained.
Family optimize(const char* name, const Optimize& rule) {
  Family family{name, {{"p", kBytes, 1, 1}, {"g", kBytes, 2, 0}, {"m1", kBytes, 1, 1}}, 0, {}};
  const bool second = moments(rule) == 2, average = rule.ema_decay > 0;
  if (second) family.tensors.push_back({"m2", kBytes, 1, 1});
  if (average) family.tensors.push_back({"average", kBytes, 1, 1});
  family.run = [=](Memory& m) {
    Optimize op = rule;
    op.tensors.resize(kCounts.size());
    float *p = m.tensor("p"), *m1 = m.tensor("m1");
    float *m2 = second ? m.tensor("m2") : nullptr, *mean = average ? m.tensor("average") : nullptr;
    const float* g = m.tensor("g");
    std::vector<cuda::OptimizeTensor> tensors;
    for (const int64_t count : kCounts) {
      tensors.push_back({count, p, g, m1, m2, mean, p, m1, m2, mean});
      p += count;
      g += count;
      m1 += count;
      if (second) m2 += count;
      if (average) mean += count;
    }
    cuda::OptimizeStep step;
    step.step = m.holding(StepParams{});
    REQUIRE(cuda::optimize(op, step, tensors, m.bytes(cuda::optimize_workspace(kCounts)), nullptr) == 0);
  };
  return family;
}

Family sgd() {
  Optimize op;
  op.kind = OptimizerKind::sgd;
  op.momentum = 0.9F;
  return optimize("optimize, sgd with momentum", op);
}

Family adamw() {
  Optimize op;
  op.kind = OptimizerKind::adamw;
  op.ema_decay = 0.999F;
  return optimize("optimize, adamw with average", op);
}

Family pack(const char* name, const Shape& weights, DType dtype, int channels, double full = kFull) {
  return {named(name, dtype),
          {{"weights", bytes_of(weights.count(), DType::f32), 1, 0, 1, full},
           {"packed", bytes_of(weights.rows() * channels, dtype), 0, 1}},
          0,
          [=](Memory& m) {
            REQUIRE(cuda::pack_weights(weights, m.tensor("weights"), {dtype, channels}, m("packed"),
                                       nullptr) == 0);
          }};
}

constexpr int64_t kImages = 32, kClasses = 1000;
constexpr size_t kLogits = bytes_of(kImages * kClasses, DType::f32);
cuda::XentTargets targets(Memory& m) {
  return {static_cast<const int32_t*>(m.bytes(kImages * sizeof(int32_t))), m.floats(kImages), nullptr, 0.1F};
}

// A block asks for a logit three times: the second and third time it is in the first-level cache. For the
// loss, each of its 256 threads also asks for the label's.
Family softmax() {
  return {"softmax", {{"x", kLogits, 1, 0, 3}, {"y", kLogits, 0, 1}}, 0, [](Memory& m) {
            const cuda::SoftmaxTensors t{kImages, kClasses, m.tensor("x"), kClasses, m.tensor("y"), kClasses};
            REQUIRE(cuda::softmax(t, nullptr) == 0);
          }};
}

Family softmax_xent() {
  return {
      "softmax_xent", {{"x", kLogits, 1, 0, 3 + 256.0 / kClasses}, {"y", kLogits, 0, 1}}, 0, [](Memory& m) {
        const cuda::SoftmaxTensors t{kImages, kClasses, m.tensor("x"), kClasses, m.tensor("y"), kClasses};
        const cuda::XentResults results{m.floats(1), m.floats(5), m.floats(kImages)};
        void* workspace = m.bytes(cuda::softmax_xent_workspace(kImages));
        REQUIRE(cuda::softmax_xent(t, targets(m), results, workspace, nullptr) == 0);
      }};
}

Family softmax_xent_bwd() {
  return {"softmax_xent_bwd", {{"p", kLogits, 1, 0}, {"dx", kLogits, 0, 1}}, 0, [](Memory& m) {
            // Where the gradient of the loss or a weight is 0, nothing is read.
            const auto* one = m.holding(1.0F);
            auto weighted = targets(m);
            std::array<float, kImages> weights{};
            weights.fill(1);
            weighted.image_weights = m.holding(weights)->data();
            const cuda::XentGradients t{kImages,  kClasses,       one,     m.tensor("p"),
                                        kClasses, m.tensor("dx"), kClasses};
            REQUIRE(cuda::softmax_xent_bwd(t, weighted, nullptr) == 0);
          }};
}

std::vector<Family> families() {
  return {
      accumulate("accumulate, first micro-batch", 0),
      accumulate("accumulate, later micro-batch", 1),
      sgd(),
      adamw(),
      pack("pack", {128, 3, 3, 128}, DType::bf16, 128),
      // A thread has a row: neighbours ask for single numbers that lie three apart.
      pack("pack, 3 channels to 8", {64, 7, 7, 3}, DType::bf16, 8, 0),
      softmax(),
      softmax_xent(),
      softmax_xent_bwd(),
  };
}

TEST_CASE("traffic: losses and updates touch what they state, in whole sectors") {
  check_traffic(families());
}

}  // namespace
}  // namespace xf::test
