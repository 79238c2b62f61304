#include "engine/analyze/hdbscan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "engine/analyze/spanning_tree.h"
#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "engine/io/hdf5.h"
#include "tests/analyze/mixture.h"

using xf::Clustering;
using xf::Points;
using xf::TreeEdge;

namespace {

double distance(const Points& p, int64_t i, int64_t j) {
  double sum = 0;
  for (int64_t d = 0; d < p.dims; ++d) {
    const double difference =
        static_cast<double>(p.row(i)[static_cast<size_t>(d)]) - p.row(j)[static_cast<size_t>(d)];
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

/// Mutual reachability, all pairs, in f64.
std::vector<TreeEdge> all_edges(const Points& p, int64_t min_samples) {
  std::vector<double> core;
  for (int64_t i = 0; i < p.count; ++i) {
    std::vector<double> d;
    for (int64_t j = 0; j < p.count; ++j) d.push_back(distance(p, i, j));
    std::sort(d.begin(), d.end());
    core.push_back(d[static_cast<size_t>(min_samples - 1)]);
  }
  std::vector<TreeEdge> edges;
  for (int32_t i = 0; i < p.count; ++i)
    for (int32_t j = i + 1; j < p.count; ++j)
      edges.push_back(
          {i, j, std::max({distance(p, i, j), core[static_cast<size_t>(i)], core[static_cast<size_t>(j)]})});
  std::stable_sort(edges.begin(), edges.end(),
                   [](const auto& a, const auto& b) { return a.weight < b.weight; });
  return edges;
}

/// Kruskal's algorithm: another way to the same weights.
std::vector<double> kruskal(const std::vector<TreeEdge>& edges, int64_t points) {
  std::vector<int32_t> set(static_cast<size_t>(points));
  std::iota(set.begin(), set.end(), 0);
  std::vector<double> weights;
  for (const TreeEdge& e : edges) {
    const int32_t a = set[static_cast<size_t>(e.a)], b = set[static_cast<size_t>(e.b)];
    if (a == b) continue;
    std::replace(set.begin(), set.end(), a, b);
    weights.push_back(e.weight);
  }
  return weights;
}

}  // namespace

TEST_CASE("the spanning tree has the weights of Kruskal's on all pairs") {
  for (const int64_t min_samples : {1, 2, 7}) {
    const Points p = xf::test::mixture({90, 60, 3, 400}, 4, 4, 11).points;  // two blocks
    const std::vector<TreeEdge> tree = mutual_reachability_tree(p, min_samples);
    const std::vector<double> wanted = kruskal(all_edges(p, min_samples), p.count);
    REQUIRE(tree.size() == wanted.size());
    std::set<int32_t> reached;
    for (size_t e = 0; e < tree.size(); ++e) {
      // Four squares, and a root that halves their error and rounds.
      REQUIRE(std::abs(tree[e].weight - wanted[e]) <= 5 * std::numeric_limits<float>::epsilon() * wanted[e]);
      reached.insert({tree[e].a, tree[e].b});
    }
    CHECK(static_cast<int64_t>(reached.size()) == p.count);
  }
}

TEST_CASE("a hierarchy worked out by hand") {
  // On a line: three points 1 apart, a gap of 4, three points 2 apart, and one far away. With min_samples 1
  // mutual reachability is the distance.
  const Points p{7, 1, {0, 1, 2, 6, 8, 10, 30}};
  const std::vector<TreeEdge> edges = mutual_reachability_tree(p, 1);
  const xf::CondensedTree tree = xf::condense(edges, 3);
  CHECK(tree.parent == std::vector<int32_t>{-1, 0, 0});
  CHECK(tree.size == std::vector<int64_t>{7, 3, 3});
  CHECK(tree.birth == std::vector<double>{0, 0.25, 0.25});
  CHECK(tree.last_cluster[6] == 0);
  CHECK(tree.left_at[6] == 0.05);
  const Clustering c = xf::excess_of_mass(tree);
  CHECK(c.clusters == 2);
  CHECK(c.cluster == std::vector<int32_t>{0, 0, 0, 1, 1, 1, -1});
  CHECK(c.probability == std::vector<float>{1, 1, 1, 1, 1, 1, 0});
  // All of a cluster leaves at once here; the far point leaves at 0.05 of the 1 that the densest reaches.
  CHECK(c.outlier_score == std::vector<float>{0, 0, 0, 0, 0, 0, 0.95F});
}

TEST_CASE("two clusters that are one at lower density, of which the whole lives longer") {
  // Two pairs of triples: within each pair the gap is small. Stability decides for the pairs.
  const Points p{12, 1, {0, 1, 2, 3.1F, 4.1F, 5.1F, 50, 51, 52, 53.1F, 54.1F, 55.1F}};
  const Clustering c = xf::hdbscan(p, {3, 1});
  CHECK(c.cluster == std::vector<int32_t>{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("points that coincide are a cluster, and nothing is infinite") {
  const Points p{9, 2, {0, 0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5, 5, 5, 0, 0, 99, 99}};
  const Clustering c = xf::hdbscan(p, {3, 2});
  CHECK(c.cluster == std::vector<int32_t>{0, 0, 0, 1, 1, 1, 1, 0, -1});
  for (size_t i = 0; i < 9; ++i) {
    CHECK(std::isfinite(c.probability[i]));
    CHECK((c.outlier_score[i] >= 0 && c.outlier_score[i] <= 1));
  }
  const Clustering same = xf::hdbscan({4, 1, {1, 1, 1, 1}}, {2, 2});
  CHECK(same.clusters == 0);  // the root is no cluster
  CHECK(xf::hdbscan({1, 1, {1}}, {2, 1}).cluster == std::vector<int32_t>{-1});
}

TEST_CASE("well separated components are found, whatever the number of threads") {
  const auto m = xf::test::mixture({200, 120, 60, 30}, 8, 10, 3);
  const int threads = xf::threads();
  xf::set_threads(1);
  const Clustering one = xf::hdbscan(m.points, {10, 5});
  xf::set_threads(3);
  const Clustering three = xf::hdbscan(m.points, {10, 5});
  xf::set_threads(threads);
  CHECK(one.cluster == three.cluster);
  CHECK(one.probability == three.probability);
  CHECK(one.outlier_score == three.outlier_score);
  CHECK(one.clusters == 4);
  for (size_t i = 0; i < m.component.size();
       ++i)  // components are made by falling size, as clusters are numbered
    CHECK((one.cluster[i] == m.component[i] || one.cluster[i] == -1));
  CHECK(std::count(one.cluster.begin(), one.cluster.end(), -1) < 41);  // of 410: the tails of a normal
}

TEST_CASE("options that the points cannot satisfy") {
  const Points p = xf::test::mixture({20}, 2, 1, 1).points;
  CHECK_THROWS_AS((void)xf::hdbscan(p, {1, 5}), xf::UsageError);
  CHECK_THROWS_AS((void)xf::hdbscan(p, {5, 21}), xf::UsageError);
  CHECK_THROWS_AS((void)xf::hdbscan(p, {5, 0}), xf::UsageError);
}

TEST_CASE("the same clusters as scikit-learn's HDBSCAN") {
  const xf::hdf5::File file(XFERRUN_HDBSCAN_GOLDENS);
  for (const std::string& name : file.children("/")) {
    INFO(name);
    const auto dims = file.dims(name + "/points");
    const Points p{dims[0], dims[1], file.read<float>(name + "/points")};
    const auto labels = file.read<int64_t>(name + "/labels");
    const auto probabilities = file.read<float>(name + "/probabilities");
    const auto options = file.read<int64_t>(name + "/options");
    const Clustering c = xf::hdbscan(p, {options[0], options[1]});
    double off = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      CHECK(c.cluster[i] == labels[i]);
      off = std::max(off, std::abs(static_cast<double>(c.probability[i]) - probabilities[i]));
    }
    CHECK(c.clusters == *std::max_element(labels.begin(), labels.end()) + 1);
    // A quotient of two f32 distances of `dims` squares each.
    CHECK(off <= 2 * (static_cast<double>(p.dims) + 3) * std::numeric_limits<float>::epsilon());
  }
}
