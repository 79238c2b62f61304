#include "engine/train/metrics.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"
#include "engine/train/trainer.h"

using xf::Evaluation;
using xf::Prediction;

namespace {
Prediction predicted(int32_t label, std::vector<float> probabilities) {
  return {0, label, 0.5, std::move(probabilities)};
}
}  // namespace

TEST_CASE("figures of a small confusion matrix, worked out by hand") {
  // True a: a, a, b. True b: b. Class c has no images.
  const std::vector<Prediction> all{predicted(0, {0.8F, 0.1F, 0.1F}), predicted(0, {0.6F, 0.3F, 0.1F}),
                                    predicted(0, {0.2F, 0.7F, 0.1F}), predicted(1, {0.1F, 0.9F, 0.0F})};
  const Evaluation e = xf::evaluate(all, {"a", "b", "c"});
  CHECK(e.images == 4);
  CHECK(e.top[0] == 0.75);
  CHECK(e.top[1] == 1.0);
  CHECK(e.confusion == std::vector<std::vector<int64_t>>{{2, 1, 0}, {0, 1, 0}, {0, 0, 0}});
  CHECK(e.classes[0].precision == 1.0);
  CHECK(e.classes[0].recall == doctest::Approx(2.0 / 3));
  CHECK(e.classes[0].f1 == doctest::Approx(0.8));
  CHECK(e.classes[1].precision == 0.5);
  CHECK(e.classes[1].f1 == doctest::Approx(2.0 / 3));
  CHECK(e.classes[2].support == 0);
  CHECK(e.macro_f1 == doctest::Approx((0.8 + 2.0 / 3) / 2));  // the class without images stays out
  CHECK(e.loss == doctest::Approx(0.5));
  // Each prediction is in a bin of its own: the error is the mean of |hit - confidence|.
  CHECK(e.ece == doctest::Approx((0.2 + 0.4 + 0.7 + 0.1) / 4));
}

TEST_CASE("Wilson's interval has the textbook values") {
  const xf::Fraction f = xf::wilson(8, 10);  // Wilson 1927's formula at z = 1.96
  CHECK(f.low == doctest::Approx(0.4902).epsilon(1e-3));
  CHECK(f.high == doctest::Approx(0.9433).epsilon(1e-3));
  CHECK(xf::wilson(10, 10).high == doctest::Approx(1));
  CHECK(xf::wilson(0, 0).low == 0);
}

TEST_CASE("equal probabilities rank the lower class first") {
  CHECK(xf::ranking({0.2F, 0.4F, 0.4F}) == std::vector<int32_t>{1, 2, 0});
}

TEST_CASE("the best epoch has the highest validation accuracy, then the lowest loss") {
  xf::BestEpoch best;
  const auto epoch = [](int number, double top1, double loss) {
    xf::EpochMetrics m;
    m.epoch = number;
    m.val_top1 = top1;
    m.val_loss = loss;
    return m;
  };
  CHECK(best.update(epoch(1, 0.5, 1)));
  CHECK_FALSE(best.update(epoch(2, 0.4, 0.1)));
  CHECK(best.update(epoch(3, 0.5, 0.9)));
  CHECK_FALSE(best.update(epoch(4, 0.5, 0.9)));
  CHECK(best.epoch() == 3);
  xf::BestEpoch without;  // no validation part: the last one counts
  xf::EpochMetrics m;
  m.epoch = 1;
  CHECK(without.update(m));
  m.epoch = 2;
  CHECK(without.update(m));
}
