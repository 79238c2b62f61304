#include "engine/analyze/distances.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/core/error.h"
#include "tests/analyze/mixture.h"

using xf::Points;

namespace {

double distance(const Points& p, int64_t i, const Points& q, int64_t j) {
  double sum = 0;
  for (int64_t d = 0; d < p.dims; ++d) {
    const double difference =
        static_cast<double>(p.row(i)[static_cast<size_t>(d)]) - q.row(j)[static_cast<size_t>(d)];
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("nearest neighbours are those of a full sort of f64 distances") {
  for (const int64_t dims : {1, 7, 40}) {
    const Points p = xf::test::mixture({300, 811, 4}, dims, 3, 5).points;  // more than two blocks
    const Points q = xf::test::mixture({37}, dims, 3, 6).points;
    constexpr int64_t kNearest = 9;
    const xf::Neighbours near = nearest_neighbours(q, p, kNearest);
    // A sum of `dims` squares, each rounded twice, and a root that halves the error and rounds.
    const double tolerance = (static_cast<double>(dims) + 4) / 2 * std::numeric_limits<float>::epsilon();
    for (int64_t i = 0; i < q.count; ++i) {
      std::vector<double> all;
      for (int64_t j = 0; j < p.count; ++j) all.push_back(distance(q, i, p, j));
      std::vector<double> sorted = all;
      std::sort(sorted.begin(), sorted.end());
      for (int64_t n = 0; n < kNearest; ++n) {
        const auto at = static_cast<size_t>(i * kNearest + n);
        REQUIRE(std::abs(std::sqrt(near.squared[at]) - sorted[static_cast<size_t>(n)]) <=
                tolerance * sorted[static_cast<size_t>(n)]);
        REQUIRE(std::abs(std::sqrt(near.squared[at]) - all[static_cast<size_t>(near.index[at])]) <=
                tolerance * sorted[static_cast<size_t>(n)]);
      }
    }
  }
}

TEST_CASE("a point is its own nearest neighbour; ties go to the lower index") {
  const Points p{4, 1, {1, 0, 1, 3}};
  const xf::Neighbours near = nearest_neighbours(p, 3);
  CHECK(std::vector<int32_t>(near.of(1).begin(), near.of(1).end()) == std::vector<int32_t>{1, 0, 2});
  CHECK(std::vector<int32_t>(near.of(2).begin(), near.of(2).end()) == std::vector<int32_t>{0, 2, 1});
  CHECK_THROWS_AS((void)nearest_neighbours(p, 5), xf::UsageError);
  CHECK_THROWS_AS((void)nearest_neighbours(p, 0), xf::UsageError);
}
