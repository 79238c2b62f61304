#include "engine/data/split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "engine/core/error.h"
#include "tests/support/test_data.h"

using namespace xf;

namespace {

/// Classes of so many glitches, each with one, two or four images.
Dataset synthetic(const std::vector<int>& glitches) {
  Dataset data;
  data.source = "synthetic";
  for (size_t c = 0; c < glitches.size(); ++c) {
    data.classes.push_back("class" + std::to_string(c));
    for (int g = 0; g < glitches[c]; ++g)
      for (int i = 0; i < std::array{1, 2, 4}[static_cast<size_t>(g) % 3]; ++i) {
        Sample s;
        s.label = static_cast<int32_t>(c);
        s.glitch = data.classes[c] + "/" + std::to_string(g);
        s.name = s.glitch + "-" + std::to_string(i);
        data.samples.push_back(s);
      }
  }
  return data;
}

/// The parts (or folds) that each glitch is in.
template <class T>
std::map<std::string, std::set<T>> places(const Dataset& data, const std::vector<T>& of_sample) {
  std::map<std::string, std::set<T>> result;
  for (size_t i = 0; i < data.samples.size(); ++i) result[data.samples[i].glitch].insert(of_sample[i]);
  return result;
}

}  // namespace

TEST_CASE("no glitch crosses a split, and each class gives its share, whatever the seed") {
  const std::vector<int> sizes = {3, 4, 7, 20, 33, 120};
  const Dataset data = synthetic(sizes);
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<Part> parts = make_split(data, {.val = 0.1, .test = 0.2, .seed = seed});
    std::vector<std::array<int, 3>> counts(sizes.size());
    const auto where = places(data, parts);
    const auto classes = glitches_by_class(data);
    for (size_t c = 0; c < classes.size(); ++c)
      for (const Glitch& g : classes[c]) {
        REQUIRE(where.at(g.id).size() == 1);
        ++counts[c][static_cast<size_t>(*where.at(g.id).begin())];
      }
    for (size_t c = 0; c < sizes.size(); ++c) {
      const int val = std::max(1, static_cast<int>(std::lround(0.1 * sizes[c])));
      const int test = std::max(1, static_cast<int>(std::lround(0.2 * sizes[c])));
      REQUIRE(counts[c] == std::array{sizes[c] - val - test, val, test});
    }
    REQUIRE_NOTHROW(check_split(data, parts, "synthetic"));
  }
}

TEST_CASE("a split depends on the seed, not on the order of the samples") {
  const Dataset data = synthetic({30, 40});
  Dataset turned = data;
  std::reverse(turned.samples.begin(), turned.samples.end());
  const auto a = make_split(data, {.seed = 7});
  auto b = make_split(turned, {.seed = 7});
  std::reverse(b.begin(), b.end());
  CHECK(a == b);
  CHECK(a == make_split(data, {.seed = 7}));
  CHECK(a != make_split(data, {.seed = 8}));
}

TEST_CASE("a fraction of zero gives no part") {
  const Dataset data = synthetic({1, 1});
  const auto parts = make_split(data, {.val = 0, .test = 0, .seed = 1});
  CHECK(std::count(parts.begin(), parts.end(), Part::train) == static_cast<std::ptrdiff_t>(parts.size()));
  const auto two = make_split(synthetic({2, 2}), {.val = 0, .test = 0.2, .seed = 1});
  CHECK(samples_in(two, Part::val).empty());
  CHECK(!samples_in(two, Part::test).empty());
}

TEST_CASE("splits that are refused") {
  CHECK_THROWS_WITH_AS((void)make_split(synthetic({5, 2}), {}), doctest::Contains("class1"), DataError);
  CHECK_THROWS_WITH_AS((void)make_split(synthetic({5, 1}), {}), doctest::Contains("class1"), DataError);
  CHECK_THROWS_AS((void)make_split(synthetic({5}), {}), DataError);
  CHECK_THROWS_AS((void)make_split(synthetic({5, 5}), {.val = -0.1}), UsageError);
  CHECK_THROWS_AS((void)make_split(synthetic({5, 5}), {.val = std::nan("")}), UsageError);
  CHECK_THROWS_AS((void)make_split(synthetic({5, 5}), {.val = 0.5, .test = 0.5}), UsageError);

  Dataset data = synthetic({3, 3});
  std::vector<Part> parts(data.samples.size(), Part::train);
  parts[2] = Part::test;  // one image of the second glitch, which has two
  CHECK_THROWS_WITH_AS(check_split(data, parts, "mine.csv"), doctest::Contains("glitch class0/1"), DataError);
  std::fill(parts.begin(), parts.begin() + 7, Part::test);  // all of class0
  CHECK_THROWS_WITH_AS(check_split(data, parts, "mine.csv"), doctest::Contains("class0"), DataError);
}

TEST_CASE("folds by glitch") {
  const std::vector<int> sizes = {2, 3, 9, 31};
  const Dataset data = synthetic(sizes);
  for (uint64_t seed = 0; seed < 50; ++seed)
    for (const int k : {2, 3, 5}) {
      const std::vector<int> folds = make_folds(data, k, seed);
      const auto where = places(data, folds);
      std::vector<int> total(static_cast<size_t>(k));
      const auto classes = glitches_by_class(data);
      for (size_t c = 0; c < classes.size(); ++c) {
        std::vector<int> count(static_cast<size_t>(k));
        for (const Glitch& g : classes[c]) {
          REQUIRE(where.at(g.id).size() == 1);
          const auto fold = static_cast<size_t>(*where.at(g.id).begin());
          ++count[fold];
          ++total[fold];
        }
        const auto [low, high] = std::minmax_element(count.begin(), count.end());
        REQUIRE(*high - *low <= 1);
        REQUIRE(std::count_if(count.begin(), count.end(), [](int n) { return n > 0; }) ==
                std::min(k, sizes[c]));
      }
      const auto [low, high] = std::minmax_element(total.begin(), total.end());
      REQUIRE(*high - *low <= 1);
      for (int fold = 0; fold < k; ++fold) REQUIRE_NOTHROW(check_split(data, fold_split(folds, fold), "x"));
    }
  const auto parts = fold_split(make_folds(data, 3, 1), 2);
  CHECK(samples_in(parts, Part::val).empty());
  CHECK(!samples_in(parts, Part::test).empty());
  CHECK_THROWS_AS((void)make_folds(data, 1, 0), UsageError);
  CHECK_THROWS_WITH_AS((void)make_folds(synthetic({4, 1}), 3, 0), doctest::Contains("class1"), DataError);
}

TEST_CASE("real glitches with four durations stay together") {
  const auto path = test::data_path("glitch27_examples");
  if (!path) return;
  const Dataset data = open_dataset(*path);
  for (const auto& [glitch, folds] : places(data, make_folds(data, 3, 11))) CHECK(folds.size() == 1);
  // Some of its classes show two glitches only: no split into three parts.
  CHECK_THROWS_WITH_AS((void)make_split(data, {.val = 0.1, .test = 0.2}), doctest::Contains("PIZZICATO"),
                       DataError);
}
