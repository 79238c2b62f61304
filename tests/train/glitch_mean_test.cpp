#include "engine/train/glitch_mean.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace xf;

TEST_CASE("a glitch's probabilities are the mean of its images'") {
  std::vector<Sample> samples(5);
  for (size_t i = 0; i < samples.size(); ++i) samples[i].glitch = i % 2 == 0 ? "a" : "b";
  std::vector<Prediction> images;
  for (int64_t i = 0; i < 5; ++i) {
    const float p = 0.125F * static_cast<float>(i);
    images.push_back({i, static_cast<int32_t>(i % 2), 0, {p, 1 - p}});
  }
  const std::vector<Prediction> glitches = mean_by_glitch(images, samples);
  REQUIRE(glitches.size() == 2);
  CHECK(glitches[0].sample == 0);
  CHECK(glitches[0].probabilities == std::vector<float>{0.25F, 0.75F});
  CHECK(glitches[0].loss == doctest::Approx(-std::log(0.25)));
  CHECK(glitches[1].sample == 1);
  CHECK(glitches[1].label == 1);
  CHECK(glitches[1].probabilities == std::vector<float>{0.25F, 0.75F});
  CHECK(glitches[1].loss == doctest::Approx(-std::log(0.75)));
  CHECK(glitches[0].features.empty());
  CHECK(mean_by_glitch({}, samples).empty());
}

TEST_CASE("features and logits are averaged too") {
  const Prediction mean = mean_prediction(
      {{4, 1, 0, {0.5F, 0.5F}, {1, 2, 3}, {-1, 1}}, {5, 1, 0, {0.25F, 0.75F}, {3, 2, -3}, {0, 4}}});
  CHECK(mean.sample == 4);
  CHECK(mean.label == 1);
  CHECK(mean.probabilities == std::vector<float>{0.375F, 0.625F});
  CHECK(mean.features == std::vector<float>{2, 2, 0});
  CHECK(mean.logits == std::vector<float>{-0.5F, 2.5F});
  CHECK(mean.loss == doctest::Approx(-std::log(0.625)));
}
