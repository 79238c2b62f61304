#include "engine/analyze/wrong_labels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "engine/core/error.h"
#include "tests/analyze/mixture.h"

using xf::LabelCheck;

namespace {

std::vector<int32_t> each_its_own(size_t count) {
  std::vector<int32_t> groups(count);
  std::iota(groups.begin(), groups.end(), 0);
  return groups;
}

/// Sizes of Gravity Spy's training set v1.1, by class, halved.
const std::vector<int64_t> kSizes{164, 40, 29, 911, 30,  223, 169, 353, 256, 310, 223,
                                  75,  40, 13, 224, 131, 221, 168, 51,  206, 21,  149};

}  // namespace

TEST_CASE("of 3 % wrong labels among 4000, 80 % are in the first 5 % of the ranking") {
  for (const uint64_t seed : {1, 2, 3}) {
    // 22 classes in 32 dimensions, whose centres lie about 8 deviations apart.
    auto m = xf::test::mixture(kSizes, 32, 1, seed);
    std::vector<int32_t> labels = m.component;
    xf::Rng rng(seed, 1);
    std::set<int64_t> wrong;
    while (wrong.size() < labels.size() * 3 / 100) {
      const auto i = static_cast<size_t>(rng.below(labels.size()));
      if (!wrong.insert(static_cast<int64_t>(i)).second) continue;
      labels[i] = static_cast<int32_t>((static_cast<uint64_t>(labels[i]) + 1 + rng.below(21)) % 22);
    }
    const LabelCheck check = check_labels(m.points, labels, 22, each_its_own(labels.size()), {});
    const auto first = static_cast<std::ptrdiff_t>(labels.size() / 20);
    const auto found = std::count_if(check.ranking.begin(), check.ranking.begin() + first,
                                     [&](int64_t i) { return wrong.count(i) > 0; });
    INFO("seed ", seed, ": ", found, " of ", wrong.size());
    CHECK(static_cast<double>(found) >= 0.8 * static_cast<double>(wrong.size()));
    CHECK(std::abs(static_cast<double>(check.wrong) / static_cast<double>(wrong.size()) - 1) < 0.3);
    int64_t proposed = 0;
    for (const int64_t i : wrong)
      proposed += check.proposed[static_cast<size_t>(i)] == m.component[static_cast<size_t>(i)] ? 1 : 0;
    CHECK(static_cast<double>(proposed) >= 0.8 * static_cast<double>(wrong.size()));
  }
}

TEST_CASE("a glitch that is shown several times does not vouch for itself") {
  // Four images of each glitch, which coincide: with all four labelled wrongly, they still are found.
  const auto m = xf::test::mixture({40, 40}, 4, 5, 7);
  xf::Points points{0, 4, {}};
  std::vector<int32_t> labels, groups;
  for (int64_t g = 0; g < m.points.count; ++g)
    for (int image = 0; image < 4; ++image) {
      points.values.insert(points.values.end(), m.points.row(g).begin(), m.points.row(g).end());
      ++points.count;
      groups.push_back(static_cast<int32_t>(g));
      labels.push_back(g == 3 ? 1 : m.component[static_cast<size_t>(g)]);
    }
  const LabelCheck check = check_labels(points, labels, 2, groups, {});
  std::vector<int64_t> first(check.ranking.begin(), check.ranking.begin() + 4);
  std::sort(first.begin(), first.end());
  CHECK(first == std::vector<int64_t>{12, 13, 14, 15});
  CHECK(check.wrong == 4);
  for (const int64_t i : first) CHECK(check.proposed[static_cast<size_t>(i)] == 0);
  CHECK(check.score[0] < 0.1);
}

TEST_CASE("folds keep a group together and spread each class") {
  std::vector<int32_t> labels, groups;
  for (int32_t g = 0; g < 60; ++g)
    for (int32_t image = 0; image <= g % 3; ++image) {
      labels.push_back(g % 4);
      groups.push_back(g);
    }
  const std::vector<int> folds = xf::folds_by_group(labels, 4, groups, 5, 3);
  std::map<int32_t, std::set<int>> of_group, of_class;
  for (size_t i = 0; i < folds.size(); ++i) {
    of_group[groups[i]].insert(folds[i]);
    of_class[labels[i]].insert(folds[i]);
  }
  for (const auto& [group, in] : of_group) CHECK(in.size() == 1);
  for (const auto& [label, in] : of_class) CHECK(in.size() == 5);
  CHECK(xf::folds_by_group(labels, 4, groups, 5, 4) != folds);
}

TEST_CASE("labels that cannot be checked") {
  auto m = xf::test::mixture({30, 30, 1}, 4, 5, 2);
  const auto groups = each_its_own(61);
  const LabelCheck check = check_labels(m.points, m.component, 3, groups, {});
  CHECK(check.score[60] == 0);  // the only one of its class
  CHECK(check.proposed[60] == 2);
  CHECK(check.wrong <= 1);
  const std::vector<int32_t> one_class(61, 0);
  CHECK_THROWS_AS((void)check_labels(m.points, one_class, 1, groups, {}), xf::DataError);
  CHECK_THROWS_AS((void)check_labels(m.points, one_class, 2, groups, {}), xf::DataError);
}
