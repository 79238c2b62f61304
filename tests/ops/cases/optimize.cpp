// accumulate and optimize.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {
namespace {

StepParams at_update(int32_t update, int32_t micro_batch = 0) {
  StepParams s;
  s.learning_rate = {0.01F, 0.001F, 0.3F, 0};
  s.update = update;
  s.micro_batch = micro_batch;
  return s;
}

const std::vector<Shape>& tensors() {
  static const std::vector<Shape> shapes{{8, 3, 3, 5}, {1, 1, 1, 17}, {33, 1, 1, 7}, {1, 1, 1, 1}};
  return shapes;
}

/// Tensors of several shapes, in several groups, some decayed.
OpCase update(const std::string& name, Optimize o, const StepParams& step, const Fill& gradient = normal(),
              const Operand& loss_scale = absent(), const std::vector<Shape>& shapes = tensors()) {
  std::vector<Operand> in{step_operand(step)};
  for (const Shape& s : shapes) {
    const auto t = static_cast<int>(o.tensors.size());
    o.tensors.push_back({t % StepParams::kGroups, t % 2 == 0 ? 0.05F : 0});
    in.push_back(fixed(s));
    in.push_back(fixed(s, gradient));
    // The first moment of adadelta, and the second of every one, is a mean of squares.
    const bool squares = o.kind == OptimizerKind::adadelta;
    in.push_back(moments(o) > 0 ? fixed(s, squares ? uniform(0, 2) : normal()) : absent());
    in.push_back(moments(o) > 1 ? fixed(s, uniform(0, 2)) : absent());
    in.push_back(o.ema_decay > 0 ? fixed(s) : absent());
  }
  // One more that is not trained.
  o.tensors.push_back({});
  in.push_back(fixed({1, 1, 1, 11}));
  for (int i = 0; i < 3; ++i) in.push_back(absent());
  in.push_back(o.ema_decay > 0 ? fixed({1, 1, 1, 11}) : absent());
  in.push_back(loss_scale);
  const int last = 2 + 4 * (static_cast<int>(o.tensors.size()) - 1);
  return {name, o, std::move(in), {0, 1, last}};
}

Optimize of_kind(OptimizerKind kind, float momentum = 0.9F) {
  Optimize o;
  o.kind = kind;
  o.momentum = momentum;
  return o;
}

std::vector<std::pair<std::string, Optimize>> kinds() {
  Optimize nesterov = of_kind(OptimizerKind::sgd);
  nesterov.nesterov = true;
  return {{"sgd", of_kind(OptimizerKind::sgd)},
          {"sgd without momentum", of_kind(OptimizerKind::sgd, 0)},
          {"nesterov", nesterov},
          {"adam", of_kind(OptimizerKind::adam)},
          {"adamw", of_kind(OptimizerKind::adamw)},
          {"adadelta", of_kind(OptimizerKind::adadelta)}};
}

/// A loss scale and its finite updates so far.
Operand scale(double value, double updates) {
  return fixed({1, 1, 1, 2}, [=](int64_t i, Rng&) { return i == 0 ? value : updates; });
}

Fill one_is(double bad, int64_t index = 0) {
  return [bad, index](int64_t i, Rng& rng) { return i == index ? bad : rng.normal(); };
}

/// Sizes around a power of two, so that a kernel's pieces of a tensor end just before, at and after its end.
const std::vector<Shape>& large_tensors() {
  static const std::vector<Shape> shapes{
      {1, 1, 1, 8191}, {1, 1, 1, 8192}, {1, 1, 1, 8193}, {7, 3, 3, 521}, {1, 1, 1, 3}};
  return shapes;
}

}  // namespace

std::vector<OpCase> optimize_cases() {
  std::vector<OpCase> cases;
  for (const auto& [name, plain] : kinds()) {
    cases.push_back(update(name, plain, at_update(5)));
    cases.push_back(update(name + ", first update", plain, at_update(1)));
    Optimize o = plain;
    o.ema_decay = 0.99F;
    cases.push_back(update(name + ", average", o, at_update(300)));
    o.clip_norm = 1e6F;
    cases.push_back(update(name + ", clip norm not reached", o, at_update(2)));
    o.clip_norm = 0.5F;
    cases.push_back(
        update(name + ", clipped, loss scale", o, at_update(1000), normal(0, 1024), scale(1024, 7)));
    cases.push_back(update(name + ", a gradient is infinite", o, at_update(2), one_is(HUGE_VAL)));
    cases.push_back(update(name + ", a gradient is not a number", o, at_update(2), one_is(NAN)));
    o.clip_norm = 0;
    cases.push_back(update(name + ", loss scale", o, at_update(3), normal(0, 65536), scale(65536, 0)));
    cases.push_back(
        update(name + ", large tensors", o, at_update(3), normal(), scale(0.25, 0), large_tensors()));
  }
  const Optimize sgd = of_kind(OptimizerKind::sgd);
  cases.push_back(update("loss scale, too large", sgd, at_update(2), one_is(HUGE_VAL), scale(1024, 1999)));
  cases.push_back(update("loss scale, one before it grows", sgd, at_update(2), normal(), scale(8, 1998)));
  cases.push_back(update("loss scale, grows", sgd, at_update(2), normal(), scale(8, 1999)));
  for (const float share : {1.0F, 0.25F})
    cases.push_back({fmt::format("share {}", share), LossSeed{share}, {scale(512, 3)}});
  // In one tensor alone: the others are shorter.
  const int64_t last = large_tensors()[3].count() - 1;
  for (const double bad : {HUGE_VAL, -HUGE_VAL, static_cast<double>(NAN)}) {
    cases.push_back(update(fmt::format("adam, the last gradient is {}", bad), of_kind(OptimizerKind::adam),
                           at_update(3), one_is(bad, last), absent(), large_tensors()));
  }
  // Their squares are beyond f32; all of them are finite.
  cases.push_back(
      update("sgd, huge gradients", of_kind(OptimizerKind::sgd), at_update(3), any_of({1e30, -1e30})));
  for (const int32_t micro_batch : {0, 1, 3}) {
    std::vector<Operand> in{step_operand(at_update(1, micro_batch))};
    std::vector<Shape> shapes = tensors();
    shapes.push_back({3, 1, 1, 3001});  // more than a block of the CUDA backend takes
    for (const Shape& s : shapes) {
      // What the sums hold before the first micro-batch does not matter.
      in.push_back(fixed(s, micro_batch == 0 ? any_of({NAN}) : normal()));
      in.push_back(fixed(s));
    }
    cases.push_back({fmt::format("micro-batch {}", micro_batch), Accumulate{}, std::move(in)});
  }
  std::vector<Operand> bucket;
  for (const Shape& s : tensors()) bucket.push_back(fixed(s));
  cases.push_back({"of one rank", AllReduce{}, bucket});
  cases.push_back({"of one rank", AllReduceWait{}, bucket});
  return cases;
}

}  // namespace xf::test
