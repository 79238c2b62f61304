// Whole maps, on the CPU.

#include "engine/analyze/tsne.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "kernels/cpu/tsne.h"
#include "tests/ops/reference/tsne.h"

namespace xf::test {
namespace {

TsneMap mapped(const Points& points, const TsneOptions& o) {
  return tsne(points, o, *cpu::make_tsne_backend());
}

/// Of the k nearest points on the map, the share that is of the same cluster.
double purity(const TsneMap& map, int64_t dimensions, int64_t clusters, int64_t k) {
  const auto count = static_cast<int64_t>(map.coordinates.size()) / dimensions;
  int64_t same = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<std::pair<double, int64_t>> others;
    for (int64_t j = 0; j < count; ++j) {
      double square = 0;
      for (int64_t a = 0; a < dimensions; ++a) {
        const double d = static_cast<double>(map.coordinates[static_cast<size_t>(i * dimensions + a)]) -
                         map.coordinates[static_cast<size_t>(j * dimensions + a)];
        square += d * d;
      }
      if (i != j) others.emplace_back(square, j);
    }
    std::partial_sort(others.begin(), others.begin() + k, others.end());
    same += std::count_if(others.begin(), others.begin() + k,
                          [&](const auto& other) { return other.second % clusters == i % clusters; });
  }
  return static_cast<double>(same) / static_cast<double>(count * k);
}

TEST_CASE("t-SNE: clusters lie apart on maps of two and three dimensions") {
  const Points points = clusters(300, 40, 6, 1, 1);
  for (const int64_t dimensions : {2, 3}) {
    CAPTURE(dimensions);
    TsneOptions o;
    o.dimensions = dimensions;
    o.iterations = 400;
    const TsneMap map = mapped(points, o);
    REQUIRE(map.coordinates.size() == static_cast<size_t>(300 * dimensions));
    CHECK(purity(map, dimensions, 6, 15) == 1);
    CHECK(map.repulsion == TsneRepulsion::exact);
    for (int64_t a = 0; a < dimensions; ++a) {
      double sum = 0;
      for (int64_t i = 0; i < 300; ++i) sum += map.coordinates[static_cast<size_t>(i * dimensions + a)];
      CHECK(std::abs(sum / 300) < 1e-4);
    }
  }
}

TEST_CASE("t-SNE: more iterations leave a smaller divergence") {
  const Points points = clusters(200, 10, 4, 1, 2);
  TsneOptions o;
  o.iterations = 100;
  const double early = mapped(points, o).kl_divergence;
  o.iterations = 1000;
  const double late = mapped(points, o).kl_divergence;
  CHECK(late < early);
  CHECK(late > 0);
}

TEST_CASE("t-SNE: the same bits for a seed, at any number of threads") {
  const Points points = clusters(150, 12, 3, 1, 3);
  TsneOptions o;
  o.iterations = 60;
  const int before = threads();
  set_threads(1);
  const TsneMap one = mapped(points, o);
  set_threads(3);
  const TsneMap three = mapped(points, o);
  set_threads(before);
  CHECK(one.coordinates == three.coordinates);
  CHECK(one.kl_divergence == three.kl_divergence);
  o.seed = 1;
  CHECK(mapped(points, o).coordinates != one.coordinates);
}

TEST_CASE("t-SNE: what the scale and place of points is does not matter") {
  const Points points = clusters(60, 5, 3, 6, 4);
  for (const float scale : {1e-15F, 1e18F}) {
    Points scaled = points;
    for (float& x : scaled.values) x *= scale;
    TsneOptions o;
    o.iterations = 300;
    o.perplexity = 10;
    const TsneMap map = mapped(scaled, o);
    CHECK(purity(map, 3, 3, 8) == 1);
    CHECK(std::all_of(map.coordinates.begin(), map.coordinates.end(),
                      [](float x) { return std::isfinite(x); }));
  }
}

TEST_CASE("t-SNE: equal points and fewer dimensions than the map's are no obstacle") {
  TsneOptions o;
  o.iterations = 100;
  o.perplexity = 3;
  const Points equal{20, 2, std::vector<float>(40, 1.0F)}, line{20, 1, [] {
                                                                  std::vector<float> x(20);
                                                                  std::iota(x.begin(), x.end(), 0.0F);
                                                                  return x;
                                                                }()};
  for (const Points& points : {equal, line, Points{4, 3, {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}}}) {
    o.perplexity = std::min(3.0, tsne_most_perplexity(points.count));
    const TsneMap map = mapped(points, o);
    CHECK(std::all_of(map.coordinates.begin(), map.coordinates.end(),
                      [](float x) { return std::isfinite(x); }));
    CHECK(std::isfinite(map.kl_divergence));
  }
}

TEST_CASE("t-SNE: it tells how far it is, and stops when asked to") {
  const Points points = clusters(30, 3, 1, 0, 5);
  TsneOptions o;
  o.perplexity = 5;
  o.iterations = 20;
  int64_t calls = 0;
  o.progress = [&](int64_t done, int64_t total) {
    CHECK(done == ++calls);
    CHECK(total == 20);
    return done < 7;
  };
  CHECK_THROWS_AS(mapped(points, o), StoppedError);
  CHECK(calls == 7);
}

TEST_CASE("t-SNE: what it refuses") {
  const auto with = [](double perplexity, int64_t dimensions = 3) {
    TsneOptions o;
    o.perplexity = perplexity;
    o.dimensions = dimensions;
    return o;
  };
  CHECK_THROWS_AS(mapped(clusters(3, 2, 1, 0, 6), with(1)), DataError);
  CHECK_THROWS_AS(mapped(clusters(90, 2, 1, 0, 6), with(30)), UsageError);
  CHECK_THROWS_AS(mapped(clusters(91, 2, 1, 0, 6), with(std::nan(""))), UsageError);
  CHECK_THROWS_AS(mapped(clusters(91, 2, 1, 0, 6), with(0.5)), UsageError);
  CHECK_THROWS_AS(mapped(clusters(91, 2, 1, 0, 6), with(30, 4)), UsageError);
  Points bad = clusters(91, 2, 1, 0, 6);
  bad.values[9] = INFINITY;
  CHECK_THROWS_AS(mapped(bad, with(30)), DataError);
}

}  // namespace
}  // namespace xf::test
