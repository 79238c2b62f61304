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
  CHECK(mean_by_glitch({}, samples).empty());
}
