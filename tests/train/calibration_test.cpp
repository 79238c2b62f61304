#include "engine/train/calibration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/core/rng.h"
#include "engine/train/bootstrap.h"

using namespace xf;

namespace {

Prediction with_scores(int32_t label, const std::vector<double>& scores) {
  Prediction p;
  p.label = label;
  double sum = 0;
  for (const double s : scores) sum += std::exp(s);
  for (const double s : scores) p.probabilities.push_back(static_cast<float>(std::exp(s) / sum));
  p.loss = -std::log(p.probabilities[static_cast<size_t>(label)]);
  return p;
}

/// Labels drawn from softmax(scores), while the network claims softmax(factor * scores).
std::vector<Prediction> overconfident(int count, double factor) {
  Rng rng(7);
  std::vector<Prediction> all;
  for (int i = 0; i < count; ++i) {
    std::vector<double> scores(4);
    for (double& score : scores) score = 3.0 * static_cast<double>(rng.below(1000)) / 1000;
    const Prediction truth = with_scores(0, scores);
    double left = static_cast<double>(rng.below(1U << 30)) / (1U << 30);
    int32_t label = 0;
    while (label < 3 && left >= truth.probabilities[static_cast<size_t>(label)])
      left -= truth.probabilities[static_cast<size_t>(label++)];
    for (double& s : scores) s *= factor;
    all.push_back(with_scores(label, scores));
  }
  return all;
}

double mean_loss(const std::vector<Prediction>& all) {
  double sum = 0;
  for (const Prediction& p : all) sum += p.loss;
  return sum / static_cast<double>(all.size());
}

}  // namespace

TEST_CASE("the temperature that was put in is found, and no other has a higher likelihood") {
  for (const double factor : {0.5, 1.0, 3.0}) {
    CAPTURE(factor);
    const std::vector<Prediction> all = overconfident(20000, factor);
    const double t = fit_temperature(all).value();
    // The estimate's standard deviation is about 1/sqrt(images) of it.
    CHECK(std::abs(t / factor - 1) < 5 / std::sqrt(20000.0));
    const double best = mean_loss(with_temperature(all, t));
    for (const double other : {0.9 * t, 0.99 * t, 1.01 * t, 1.1 * t})
      CHECK(mean_loss(with_temperature(all, other)) > best);
    const double before = calibration_error(reliability(all)),
                 after = calibration_error(reliability(with_temperature(all, t)));
    CHECK(after < 0.02);
    if (factor != 1.0) CHECK(before > 3 * after);
  }
}

TEST_CASE("a temperature changes claims, not rankings") {
  for (const Prediction& p : overconfident(50, 2))
    for (const double t : {0.3, 5.0})
      CHECK(ranking(with_temperature({p}, t)[0].probabilities) == ranking(p.probabilities));
}

TEST_CASE("where there is no best temperature") {
  CHECK_FALSE(fit_temperature({}));
  CHECK_FALSE(
      fit_temperature({with_scores(0, {2, 0}), with_scores(1, {0, 1})}));  // all right: the colder the better
  CHECK_FALSE(
      fit_temperature({with_scores(1, {2, 0}), with_scores(0, {0, 1})}));  // all wrong: the hotter the better
}

TEST_CASE("reliability bins hold every prediction once") {
  const std::vector<Prediction> all = overconfident(500, 3);
  int64_t images = 0;
  double low = 0;
  for (const ReliabilityBin& bin : reliability(all)) {
    CHECK(bin.low == doctest::Approx(low));
    low = bin.high;
    images += bin.images;
    if (bin.images > 0) {
      CHECK(bin.confidence >= bin.low - 1e-6);
      CHECK(bin.confidence <= bin.high + 1e-6);
    }
  }
  CHECK(images == 500);
  CHECK(low == 1);
}

TEST_CASE("bootstrap intervals hold the figure, shrink with the images and are the same each time") {
  std::vector<std::string> classes(4, "c");
  double width = 1;
  for (const int count : {100, 1600}) {
    const std::vector<Prediction> all = overconfident(count, 2);
    const Evaluation e = evaluate(all, classes);
    const BootstrapIntervals b = bootstrap(all, classes.size());
    CHECK(b.macro_f1.low < e.macro_f1);
    CHECK(e.macro_f1 < b.macro_f1.high);
    CHECK(b.ece.low < b.ece.high);
    CHECK(b.macro_f1.high - b.macro_f1.low < width / 2);
    width = b.macro_f1.high - b.macro_f1.low;
    CHECK(bootstrap(all, classes.size()).macro_f1.low == b.macro_f1.low);
  }
  // Accuracy's standard error is sqrt(p (1-p) / n): with four balanced classes macro-F1 has about that of
  // accuracy.
  CHECK(width == doctest::Approx(4 * std::sqrt(0.25 / 1600)).epsilon(0.3));
}

TEST_CASE("the mean of runs has Student's interval") {
  // t(0.975, 4) = 2.7764; the values' deviation is sqrt(2.5).
  const MeanOfRuns m = mean_of_runs({1, 2, 3, 4, 5});
  CHECK(m.mean == 3);
  CHECK(m.deviation == doctest::Approx(std::sqrt(2.5)));
  CHECK(m.high - m.mean == doctest::Approx(2.7764 * std::sqrt(2.5 / 5)).epsilon(1e-4));
  CHECK(m.mean - m.low == doctest::Approx(m.high - m.mean));
  // t(0.975, 29) = 2.0452, beyond the table.
  std::vector<double> thirty(30);
  for (size_t i = 0; i < thirty.size(); i += 2) thirty[i] = 1;
  const MeanOfRuns many = mean_of_runs(thirty);
  CHECK(many.high - many.mean == doctest::Approx(2.0452 * many.deviation / std::sqrt(30.0)).epsilon(1e-4));
  CHECK(mean_of_runs({4}).low == 4);
}
