// Every optimizer against its published formula in f64, over several steps.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/kernels/lowered.h"

using xf::DType;
using xf::Optimize;
using xf::OptimizerKind;
using xf::Spec;
using xf::StepParams;
using xf::Tensor;
using xf::test::Arrangement;
using xf::test::Lowered;

namespace {

constexpr size_t kInputs = 5, kOutputs = 4;
const std::vector<xf::Shape> kShapes{{1, 1, 1, 37}, {3, 5, 1, 2221}, {1, 1, 1, 1}};

/// Which memory the new values get.
enum class Place : uint8_t { apart, same };

Optimize optimizer(OptimizerKind kind) {
  Optimize o;
  o.kind = kind;
  o.ema_decay = 0.9F;
  o.eps = 1e-6F;
  o.tensors = {{0, 0.01F}, {1, 0.0F}, {2, 0.02F}};
  return o;
}

void set_loss_scale(Lowered& kernel, float scale) {
  Tensor& operand = kernel.input(1 + kInputs * kShapes.size());
  operand.as<float>()[0] = scale;
  operand.as<float>()[1] = 0;
}

std::unique_ptr<Lowered> make(const Optimize& o) {
  std::vector<Spec> specs{{xf::vector_shape(sizeof(StepParams)), DType::u8}};
  for (const xf::Shape& s : kShapes)
    for (size_t j = 0; j < kInputs; ++j) {
      const bool absent =
          (j == 2 && moments(o) < 1) || (j == 3 && moments(o) < 2) || (j == 4 && o.ema_decay == 0);
      specs.push_back(absent ? Spec{{0, 0, 0, 0}, DType::f32} : Spec{s, DType::f32});
    }
  specs.push_back({{1, 1, 1, 2}, DType::f32});
  auto made = std::make_unique<Lowered>(o, specs);
  Lowered& kernel = *made;
  set_loss_scale(kernel, 1);
  for (size_t t = 0; t < kShapes.size(); ++t)
    for (size_t j = 2; j < kInputs; ++j)
      if (Tensor& state = kernel.input(1 + kInputs * t + j); !state.empty()) {
        const Tensor& p = kernel.input(1 + kInputs * t);
        for (size_t i = 0; i < state.as<float>().size(); ++i)
          state.as<float>()[i] = j == 4 ? p.as<float>()[i] : 0;
      }
  return made;
}

/// One tensor's numbers in f64.
struct Model {
  std::vector<double> p, m1, m2, average;

  explicit Model(const Tensor& start)
      : p(start.as<float>().begin(), start.as<float>().end()), m1(p.size()), m2(p.size()), average(p) {}

  void step(const Optimize& o, const StepParams& s, const xf::TensorRule& rule,
            const std::vector<double>& gradient) {
    const double lr = s.learning_rate[static_cast<size_t>(rule.group)], t = s.update;
    for (size_t i = 0; i < p.size(); ++i) {
      double g = gradient[i];
      if (o.kind == OptimizerKind::adamw)
        p[i] -= lr * rule.decay * p[i];
      else
        g += rule.decay * p[i];
      switch (o.kind) {
        case OptimizerKind::sgd:
          m1[i] = o.momentum * m1[i] + g;
          p[i] -= lr * (o.nesterov ? g + o.momentum * m1[i] : m1[i]);
          break;
        case OptimizerKind::adam:
        case OptimizerKind::adamw:
          m1[i] = o.beta1 * m1[i] + (1.0 - o.beta1) * g;
          m2[i] = o.beta2 * m2[i] + (1.0 - o.beta2) * g * g;
          p[i] -= lr * (m1[i] / (1 - std::pow(o.beta1, t))) /
                  (std::sqrt(m2[i] / (1 - std::pow(o.beta2, t))) + o.eps);
          break;
        case OptimizerKind::adadelta: {
          m1[i] = o.rho * m1[i] + (1.0 - o.rho) * g * g;
          const double dx = std::sqrt(m2[i] + o.eps) / std::sqrt(m1[i] + o.eps) * g;
          m2[i] = o.rho * m2[i] + (1.0 - o.rho) * dx * dx;
          p[i] -= lr * dx;
          break;
        }
      }
      average[i] = o.ema_decay * average[i] + (1.0 - o.ema_decay) * p[i];
    }
  }
};

/// Runs a step and moves the outputs into the inputs; returns {norm, finite}.
std::pair<float, float> advance(Lowered& kernel, Place place) {
  Arrangement how;
  const size_t tensors = kShapes.size();
  for (size_t t = 0; t < tensors; ++t)
    for (size_t j = 0; j < kOutputs; ++j) {
      const size_t input = 1 + kInputs * t + (j == 0 ? 0 : j + 1), output = 2 + kOutputs * t + j;
      if (kernel.input(input).empty()) how.unused.push_back(static_cast<int>(output));
      REQUIRE(kernel.kernel().in_place(static_cast<int>(output), static_cast<int>(input)));
      if (place == Place::same) how.shared[static_cast<int>(output)] = static_cast<int>(input);
    }
  std::vector<Tensor> out = kernel.run(how);
  for (size_t t = 0; t < tensors; ++t)
    for (size_t j = 0; j < kOutputs; ++j)
      if (Tensor& moved = out[2 + kOutputs * t + j]; !moved.empty())
        kernel.input(1 + kInputs * t + (j == 0 ? 0 : j + 1)) = std::move(moved);
  return {out[0].as<float>()[0], out[1].as<float>()[0]};
}

void check_against_model(const Optimize& o, Place place) {
  const auto made = make(o);
  Lowered& kernel = *made;
  std::vector<Model> models;
  for (size_t t = 0; t < kShapes.size(); ++t) models.emplace_back(kernel.input(1 + kInputs * t));
  xf::Rng rng(11);
  constexpr int kSteps = 5;
  for (int s = 1; s <= kSteps; ++s) {
    StepParams step;
    step.learning_rate = {0.1F, 0.05F, 0.02F, 0};
    set_loss_scale(kernel, 4);
    step.update = s;
    std::memcpy(kernel.input(0).data(), &step, sizeof step);
    double square = 0;
    std::vector<std::vector<double>> gradients(kShapes.size());
    for (size_t t = 0; t < kShapes.size(); ++t)
      for (float& g : kernel.input(2 + kInputs * t).as<float>()) {
        g = static_cast<float>(rng.normal());
        gradients[t].push_back(static_cast<double>(g) / 4);
        square += gradients[t].back() * gradients[t].back();
      }
    const double norm = std::sqrt(square);
    const auto [got_norm, finite] = advance(kernel, place);
    CHECK(got_norm == doctest::Approx(norm).epsilon(1e-6));
    CHECK(finite == 1.0F);
    const double clip = o.clip_norm > 0 && norm > o.clip_norm ? o.clip_norm / norm : 1;
    for (size_t t = 0; t < kShapes.size(); ++t) {
      for (double& g : gradients[t]) g *= clip;
      models[t].step(o, step, o.tensors[t], gradients[t]);
    }
  }
  // Each step rounds a handful of times, relative to numbers of about 1: 2^-24 * 10 roundings * 5 steps.
  // Adadelta and Adam divide by roots of small sums, which magnifies that by 1 / sqrt(eps) at most in the
  // first step only.
  constexpr double kTolerance = 5 * 10 * 0x1p-24 * 4;
  double worst = 0;
  for (size_t t = 0; t < kShapes.size(); ++t)
    for (size_t i = 0; i < models[t].p.size(); ++i) {
      worst = std::max(worst, std::abs(kernel.input(1 + kInputs * t).as<float>()[i] - models[t].p[i]));
      if (o.ema_decay > 0)
        worst =
            std::max(worst, std::abs(kernel.input(5 + kInputs * t).as<float>()[i] - models[t].average[i]));
    }
  CHECK(worst < kTolerance);
}

}  // namespace

TEST_CASE("optimizers follow their formulas") {
  for (const Place place : {Place::apart, Place::same}) {
    for (const OptimizerKind kind :
         {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::adadelta}) {
      CAPTURE(static_cast<int>(kind));
      check_against_model(optimizer(kind), place);
    }
    Optimize o = optimizer(OptimizerKind::sgd);
    o.nesterov = true;
    check_against_model(o, place);
    o.nesterov = false;
    o.clip_norm = 0.5F;
    check_against_model(o, place);
    o.momentum = 0;
    o.ema_decay = 0;
    check_against_model(o, place);
  }
}

TEST_CASE("a gradient that is not finite changes nothing") {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for (const Place place : {Place::apart, Place::same}) {
      const auto made = make(optimizer(OptimizerKind::adam));
      Lowered& kernel = *made;
      kernel.input(2 + kInputs).as<float>()[1234] = bad;
      StepParams step;
      step.learning_rate = {0.1F, 0.1F, 0.1F, 0.1F};
      std::memcpy(kernel.input(0).data(), &step, sizeof step);
      std::vector<Tensor> before;
      for (size_t i = 0; i < kInputs * kShapes.size(); ++i) before.push_back(kernel.input(1 + i).clone());
      CHECK(advance(kernel, place).second == 0.0F);
      for (size_t i = 0; i < before.size(); ++i) CHECK(xf::test::same_bytes(kernel.input(1 + i), before[i]));
    }
  }
}

TEST_CASE("large but finite gradients have a finite norm") {
  const auto made = make(optimizer(OptimizerKind::sgd));
  Lowered& kernel = *made;
  StepParams step;
  std::memcpy(kernel.input(0).data(), &step, sizeof step);
  for (size_t t = 0; t < kShapes.size(); ++t)
    for (float& g : kernel.input(2 + kInputs * t).as<float>()) g = 1e30F;
  const auto [norm, finite] = advance(kernel, Place::same);
  CHECK(finite == 1.0F);
  CHECK(norm == doctest::Approx(1e30 * std::sqrt(37.0 + 3 * 5 * 2221 + 1)).epsilon(1e-6));
}

TEST_CASE("accumulation starts with the first micro-batch and adds the others") {
  const Spec spec{{1, 3, 7, 1999}, DType::f32};
  Lowered kernel(xf::Accumulate{}, {{xf::vector_shape(sizeof(StepParams)), DType::u8}, spec, spec});
  for (const int micro_batch : {0, 1}) {
    StepParams step;
    step.micro_batch = micro_batch;
    std::memcpy(kernel.input(0).data(), &step, sizeof step);
    for (const Arrangement& how : {Arrangement{}, Arrangement{{}, {{0, 1}}, {}}}) {
      std::vector<Tensor> out = kernel.run(how);
      const auto sum = kernel.input(1).as<float>(), g = kernel.input(2).as<float>(), got = out[0].as<float>();
      bool right = true;
      for (size_t i = 0; i < got.size(); ++i)
        right = right && got[i] == (micro_batch == 0 ? g[i] : sum[i] + g[i]);
      CHECK(right);
    }
  }
}
