#include "engine/analyze/separation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/analyze/mixture.h"

TEST_CASE("AUROC is the share of pairs in order") {
  xf::Rng rng(1);
  std::vector<double> low, high;
  for (int i = 0; i < 40; ++i) low.push_back(std::floor(10 * rng.uniform()));  // with ties
  for (int i = 0; i < 30; ++i) high.push_back(std::floor(12 * rng.uniform()));
  double pairs = 0;
  for (const double a : low)
    for (const double b : high) pairs += b > a ? 1 : b == a ? 0.5 : 0;
  CHECK(xf::auroc(low, high) == doctest::Approx(pairs / 1200).epsilon(1e-12));
  CHECK(xf::auroc(std::vector<double>{1, 2}, std::vector<double>{3}) == 1);
  CHECK(xf::auroc(std::vector<double>{1, 1}, std::vector<double>{1}) == 0.5);
  CHECK(std::isnan(xf::auroc({}, std::vector<double>{1})));
}

TEST_CASE("neighbour purity, worked out by hand") {
  // Nearest two of each: 0 → 1, 2; 1 → 0, 2 (tie with none); 2 → 1, 0; 9 → 10, 2; 10 → 9, 2.
  const xf::Points p{5, 1, {0, 1, 2, 9, 10}};
  const std::vector<int32_t> labels{0, 0, 1, 1, 1};
  CHECK(xf::neighbour_purity(p, labels, 2) == doctest::Approx((1 + 1 + 0 + 2 + 2) / 10.0));
  const xf::Points same{4, 1, {3, 3, 3, 3}};
  CHECK(xf::neighbour_purity(same, std::vector<int32_t>{1, 1, 1, 1}, 2) == 1);
}

TEST_CASE("the cluster that holds most of a class") {
  const std::vector<int32_t> cluster{0, 0, 0, 1, 1, -1, 1, 0}, labels{7, 7, 7, 9, 9, 9, 9, 9};
  const xf::ClassCluster nine = xf::cluster_of_class(cluster, labels, 9);
  CHECK(nine.cluster == 1);
  CHECK(nine.purity == 1);
  CHECK(nine.completeness == doctest::Approx(3.0 / 5));
  const xf::ClassCluster seven = xf::cluster_of_class(cluster, labels, 7);
  CHECK(seven.cluster == 0);
  CHECK(seven.purity == doctest::Approx(0.75));
  CHECK(seven.completeness == 1);
  CHECK(xf::cluster_of_class(std::vector<int32_t>{-1, -1}, std::vector<int32_t>{1, 1}, 1).cluster == -1);
  CHECK(xf::cluster_of_class(cluster, labels, 3).completeness == 0);
}
