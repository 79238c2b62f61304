#include "engine/analyze/similar.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/analyze/mixture.h"

TEST_CASE("the most similar are those of the largest cosine") {
  const xf::Points p = xf::test::mixture({50, 60}, 12, 2, 1).points,
                   q = xf::test::mixture({5}, 12, 2, 2).points;
  const auto found = xf::most_similar(q, p, 7);
  REQUIRE(found.size() == 5);
  for (int64_t i = 0; i < q.count; ++i) {
    std::vector<double> cosines;
    for (int64_t j = 0; j < p.count; ++j) {
      double dot = 0, a = 0, b = 0;
      for (size_t d = 0; d < 12; ++d) {
        const double x = q.row(i)[d], y = p.row(j)[d];
        dot += x * y;
        a += x * x;
        b += y * y;
      }
      cosines.push_back(dot / std::sqrt(a * b));
    }
    std::vector<double> sorted = cosines;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    REQUIRE(found[static_cast<size_t>(i)].size() == 7);
    // Two unit vectors, each coordinate rounded twice, and twelve squares of at most 4 in all.
    constexpr double kTolerance = 2 * (12 + 4) * std::numeric_limits<float>::epsilon();
    for (size_t n = 0; n < 7; ++n) {
      const xf::Similar s = found[static_cast<size_t>(i)][n];
      CHECK(std::abs(s.similarity - sorted[n]) < kTolerance);
      CHECK(std::abs(s.similarity - cosines[static_cast<size_t>(s.row)]) < kTolerance);
    }
  }
}

TEST_CASE("length does not count; there are no more than all; zeros are like nothing") {
  const xf::Points p{3, 2, {3, 4, -3, -4, 0, 0}};
  const auto found = xf::most_similar({1, 2, {0.6F, 0.8F}}, p, 10);
  REQUIRE(found[0].size() == 3);
  CHECK(found[0][0].row == 0);
  CHECK(found[0][0].similarity == doctest::Approx(1));
  CHECK(found[0][2].row == 1);
  CHECK(found[0][2].similarity == doctest::Approx(-1));
  CHECK(found[0][1].similarity == doctest::Approx(0.5));
}
