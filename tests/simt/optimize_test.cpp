// kernels/cuda/optimize.cu in every order of threads, on any alignment, and on more tensors than a kernel's
// parameters hold; its numbers are checked by the op suite.

#include "kernels/cuda/optimize.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/rng.h"
#include "kernels/simt/simt.h"
#include "tests/simt/guarded.h"
#include "tests/simt/orders.h"

namespace xf::test {
namespace {

/// One tensor with everything that any optimizer keeps, and room for the results.
struct Numbers {
  Numbers(int64_t n, int64_t offset, Rng& rng) : count(n) {
    for (int i = 0; i < 5; ++i) {
      in.emplace_back(1, n, n, offset);
      for (int64_t k = 0; k < n; ++k)
        in.back().set(0, k, static_cast<float>(i == 2 || i == 3 ? rng.uniform(0.1, 2) : rng.normal()));
    }
    for (int i = 0; i < 4; ++i) out.emplace_back(1, n, n, offset);
  }
  int64_t count;
  std::vector<Guarded<float>> in;   ///< parameter, gradient, moment1, moment2, average
  std::vector<Guarded<float>> out;  ///< parameter, moment1, moment2, average
};

struct Step {
  Step(Optimize o, const std::vector<int64_t>& counts, int64_t offset = 0)
      : op(std::move(o)), norm(1), finite(1), loss_scale(2), new_loss_scale(2) {
    params.learning_rate = {0.1F, 0.01F, 0.001F, 0};
    loss_scale.set(0, 0, 4);
    loss_scale.set(0, 1, 7);
    params.update = 3;
    Rng rng(3);
    for (const int64_t count : counts) {
      op.tensors.push_back({static_cast<int>(op.tensors.size()) % StepParams::kGroups, 0.02F});
      tensors.emplace_back(count, offset, rng);
    }
  }

  void run() {
    std::vector<cuda::OptimizeTensor> table;
    std::vector<int64_t> counts;
    for (Numbers& t : tensors) {
      const auto from = [&](size_t i) { return t.in[i].data(); };
      const auto to = [&](size_t i) { return t.out[i].data(); };
      const bool first = moments(op) > 0, second = moments(op) > 1, average = op.ema_decay > 0;
      table.push_back({t.count, from(0), from(1), first ? from(2) : nullptr, second ? from(3) : nullptr,
                       average ? from(4) : nullptr, to(0), first ? to(1) : nullptr, second ? to(2) : nullptr,
                       average ? to(3) : nullptr});
      counts.push_back(t.count);
    }
    Guarded<double> workspace(static_cast<int64_t>(cuda::optimize_workspace(counts) / sizeof(double)));
    const cuda::OptimizeStep step{&params, loss_scale.data(), new_loss_scale.data(), norm.data(),
                                  finite.data()};
    REQUIRE(cuda::optimize(op, step, table, workspace.data(), nullptr) == 0);
    const bool kept = finite.get(0, 0) == 1;
    CHECK(new_loss_scale.get(0, 0) == (kept ? 4 : 2));
    CHECK(new_loss_scale.get(0, 1) == (kept ? 8 : 0));
    CHECK(workspace.intact());
    for (const Numbers& t : tensors)
      for (const Guarded<float>& g : t.out) CHECK(g.intact());
  }

  Optimize op;
  StepParams params;
  std::vector<Numbers> tensors;
  Guarded<float> norm, finite, loss_scale, new_loss_scale;
};

Optimize of_kind(OptimizerKind kind) {
  Optimize o;
  o.kind = kind;
  o.ema_decay = 0.9F;
  return o;
}

constexpr std::initializer_list<OptimizerKind> kKinds = {OptimizerKind::sgd, OptimizerKind::adam,
                                                         OptimizerKind::adamw, OptimizerKind::adadelta};

void check_same(const Step& a, const Step& b) {
  for (size_t t = 0; t < a.tensors.size(); ++t)
    for (size_t i = 0; i < 4; ++i) CHECK(a.tensors[t].out[i] == b.tensors[t].out[i]);
}

TEST_CASE("optimizers: the same bits in every order") {
  for (const OptimizerKind kind : kKinds) {
    Optimize o = of_kind(kind);
    o.clip_norm = 0.5F;
    std::optional<Step> first;
    in_every_order([&] {
      Step step(o, {1, 17, 8192, 20001, 3});
      step.run();
      if (!first) first.emplace(step);
      CHECK(step.finite.get(0, 0) == 1);
      CHECK(step.norm == first->norm);
      check_same(step, *first);
    });
  }
}

TEST_CASE("optimizers: a tensor without numbers starts nothing, and leaves the others alone") {
  simt::set_schedule({});
  Step none(of_kind(OptimizerKind::sgd), {0}), some(of_kind(OptimizerKind::sgd), {0, 5, 0});
  none.run();
  CHECK(none.norm.get(0, 0) == 0);
  some.run();
  CHECK(some.norm.get(0, 0) > 0);
  CHECK(!(some.tensors[1].out[0] == some.tensors[1].in[0]));
}

TEST_CASE("optimizers: alignment changes no bit of an update that is not clipped") {
  const std::vector<int64_t> counts{1, 2, 3, 4, 5, 8191, 8192, 8193, 20001};
  for (const OptimizerKind kind : kKinds) {
    Step aligned(of_kind(kind), counts);
    aligned.run();
    for (const int64_t offset : {1, 2, 4}) {
      Step shifted(of_kind(kind), counts, offset);
      shifted.run();
      check_same(shifted, aligned);
      CHECK(shifted.norm.get(0, 0) == doctest::Approx(aligned.norm.get(0, 0)).epsilon(0x1p-23));
    }
  }
}

TEST_CASE("optimizers: more tensors than the parameters of a kernel hold") {
  // A tensor takes more there than an address and a size, whatever the table.
  constexpr auto kTensors = static_cast<int>(simt::kMaxParameters / 16);
  Optimize o = of_kind(OptimizerKind::sgd);
  o.ema_decay = 0;
  o.momentum = 0;
  std::vector<int64_t> counts(kTensors);
  for (int i = 0; i < kTensors; ++i) counts[static_cast<size_t>(i)] = 1 + i % 5;
  Step step(o, counts);
  for (TensorRule& rule : step.op.tensors) rule.decay = 0;
  simt::set_schedule({});
  step.run();
  double squares = 0;
  int wrong = 0;
  for (int i = 0; i < kTensors; ++i) {
    const Numbers& t = step.tensors[static_cast<size_t>(i)];
    for (int64_t k = 0; k < t.count; ++k) {
      const float g = t.in[1].get(0, k) / 4, p = t.in[0].get(0, k);
      squares += static_cast<double>(g) * static_cast<double>(g);
      const float rate = step.params.learning_rate[static_cast<size_t>(i % StepParams::kGroups)];
      wrong += static_cast<int>(std::abs(t.out[0].get(0, k) - (p - rate * g)) > 0x1p-22F * std::abs(p));
    }
  }
  CHECK(wrong == 0);
  CHECK(step.norm.get(0, 0) == doctest::Approx(std::sqrt(squares)).epsilon(1e-6));

  // The last table's gradients count too.
  Step spoilt(o, counts);
  spoilt.tensors.back().in[1].set(0, 0, std::numeric_limits<float>::infinity());
  spoilt.run();
  CHECK(spoilt.finite.get(0, 0) == 0);
  int changed = 0;
  for (const Numbers& t : spoilt.tensors) changed += static_cast<int>(!(t.out[0] == t.in[0]));
  CHECK(changed == 0);
}

}  // namespace
}  // namespace xf::test
