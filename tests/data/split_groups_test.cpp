#include "engine/data/split_groups.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/error.h"
#include "engine/core/rng.h"

using namespace xf;

namespace {

/// Classes of so many glitches, each with two images, at random times in a million seconds.
Dataset timed(const std::vector<int>& glitches, uint64_t seed) {
  Dataset data;
  data.source = "synthetic";
  Rng rng(seed);
  for (size_t c = 0; c < glitches.size(); ++c) {
    data.classes.push_back("class" + std::to_string(c));
    for (int g = 0; g < glitches[c]; ++g) {
      Sample s;
      s.label = static_cast<int32_t>(c);
      s.glitch = data.classes[c] + "/" + std::to_string(g);
      s.gps = 1e9 + rng.uniform(0, 1e6);
      for (const char* image : {"-a", "-b"}) {
        s.name = s.glitch + image;
        data.samples.push_back(s);
      }
    }
  }
  return data;
}

/// The least time between glitches of different parts (or folds).
template <class T>
double least_distance(const Dataset& data, const std::vector<T>& of_sample) {
  std::vector<std::pair<double, T>> order;
  for (size_t i = 0; i < data.samples.size(); ++i) order.emplace_back(*data.samples[i].gps, of_sample[i]);
  std::sort(order.begin(), order.end());
  double least = 1e9;
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i].second != order[i - 1].second) least = std::min(least, order[i].first - order[i - 1].first);
  return least;
}

std::vector<std::array<int, 3>> glitches_of_parts(const Dataset& data, const std::vector<Part>& parts) {
  std::vector<std::array<int, 3>> counts(data.classes.size());
  const auto classes = glitches_by_class(data);
  for (size_t c = 0; c < classes.size(); ++c)
    for (const Glitch& g : classes[c]) ++counts[c][static_cast<size_t>(parts[g.samples[0]])];
  return counts;
}

}  // namespace

TEST_CASE("glitches near in time stay together, and classes get about their shares") {
  const std::vector<int> sizes = {20, 60, 300};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Dataset data = timed(sizes, seed);
    constexpr double gap = 900;
    const GlitchGroups groups = groups_in_time(data, gap);
    const std::vector<Part> parts = split_groups(data, groups, {.seed = seed});
    CHECK(least_distance(data, parts) >= gap);
    const auto counts = glitches_of_parts(data, parts);
    size_t largest = 0;
    for (const auto& group : groups) largest = std::max(largest, group.size() / 2);
    for (size_t c = 0; c < sizes.size(); ++c) {
      CHECK(counts[c][0] > 0);
      // A group may be a glitch too many as often as it has glitches.
      CHECK(std::abs(counts[c][2] - 0.2 * sizes[c]) <= static_cast<double>(largest) + 0.5);
    }
    const std::vector<int> folds = fold_groups(data, groups, 4, seed);
    CHECK(least_distance(data, folds) >= gap);
    CHECK(folds == fold_groups(data, groups, 4, seed));
  }
}

TEST_CASE("where every glitch is a group of its own the shares are exact") {
  const Dataset data = timed({10, 31}, 5);
  const GlitchGroups groups = groups_in_time(data, 1e-6);
  REQUIRE(groups.size() == 41);
  const auto counts = glitches_of_parts(data, split_groups(data, groups, {.seed = 1}));
  CHECK(counts[0] == std::array{7, 1, 2});
  CHECK(counts[1] == std::array{22, 3, 6});
  const std::vector<int> folds = fold_groups(data, groups, 2, 1);
  CHECK(std::count(folds.begin(), folds.begin() + 20, 0) == 10);
}

TEST_CASE("groups in time that are refused") {
  Dataset data = timed({10, 10}, 2);
  CHECK_THROWS_AS((void)groups_in_time(data, 0), UsageError);
  CHECK_THROWS_AS((void)groups_in_time(data, std::nan("")), UsageError);
  const GlitchGroups one = groups_in_time(data, 1e7);
  REQUIRE(one.size() == 1);
  CHECK_THROWS_WITH_AS((void)split_groups(data, one, {}), doctest::Contains("form 1 groups in time"),
                       DataError);
  CHECK_THROWS_WITH_AS((void)fold_groups(data, one, 2, 0), doctest::Contains("fewer than 2 folds"),
                       DataError);
  data.samples[6].gps.reset();
  data.samples[7].gps.reset();
  CHECK_THROWS_WITH_AS((void)groups_in_time(data, 1),
                       doctest::Contains("1 glitches have no GPS time (the first: class0/3)"), DataError);
}
