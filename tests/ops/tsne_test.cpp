// What t-SNE asks of a device, against double precision.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/analyze/tsne_affinities.h"
#include "engine/core/rng.h"
#include "tests/ops/backends.h"
#include "tests/ops/reference/tsne.h"

namespace xf::test {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

/// A map of the points, `size` across, whose coordinates are exact in f32.
std::vector<float> random_map(int64_t points, double size, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> map(static_cast<size_t>(kMapAxes * points));
  for (float& x : map) x = static_cast<float>(size * rng.normal());
  return map;
}

std::vector<double> wide(std::span<const float> values) { return {values.begin(), values.end()}; }

void check_conditional(TsneBackend& backend, const Points& points, double perplexity, int64_t nearest) {
  CAPTURE(points.count);
  CAPTURE(points.dims);
  CAPTURE(nearest);
  const auto similarity = backend.similarity(points);
  const int64_t first = points.count / 3, count = points.count - first;
  std::vector<float> p(static_cast<size_t>(count * points.count), -1.0F);
  similarity->conditional(first, count, perplexity, nearest, p);
  for (int64_t r = 0; r < count; ++r) {
    const RowReference row = conditional_reference(points, first + r, perplexity, nearest);
    double sum = 0, entropy = 0, worst = 0;
    for (int64_t j = 0; j < points.count; ++j) {
      const double got = p[static_cast<size_t>(r * points.count + j)], wanted = row.p[static_cast<size_t>(j)];
      sum += got;
      if (got > 0) entropy -= got * std::log(got);
      if (wanted < 1e-20) {
        CHECK(got < 1e-19);
        continue;
      }
      // The entropy is allowed 1e-4, which b and so the exponents pay for; a squared distance has the
      // rounding of its terms and their sum.
      const double d = row.square[static_cast<size_t>(j)];
      const double of_entropy = 1e-4 / (row.b * row.variance) * std::abs(d - row.mean);
      const double of_distance = row.b * (d + row.mean) * static_cast<double>(points.dims + 4) * kEpsilon;
      const double allowed =
          std::expm1(of_entropy + of_distance) + static_cast<double>(points.count) * kEpsilon;
      worst = std::max(worst, std::abs(got - wanted) / wanted / allowed);
    }
    CHECK(worst < 1);
    CHECK(std::abs(sum - 1) < static_cast<double>(points.count) * kEpsilon);
    CHECK(std::abs(entropy - std::log(perplexity)) < 1e-4);
  }
}

TEST_CASE("t-SNE: every point's neighbours have the perplexity") {
  for (const auto& backend : tsne_backends()) {
    check_conditional(*backend, clusters(50, 3, 1, 0, 1), 5, 49);
    check_conditional(*backend, clusters(67, 33, 4, 3, 2), 20, 66);
    check_conditional(*backend, clusters(67, 16, 4, 30, 3), 20, 66);  // more than a cluster has
    check_conditional(*backend, clusters(131, 100, 3, 2, 4), 10, 30);
  }
}

TEST_CASE("t-SNE: points that lie on one another share alike") {
  for (const auto& backend : tsne_backends()) {
    Points points = clusters(24, 5, 1, 0, 7);
    for (int64_t i = 0; i < 12; ++i) std::copy_n(points.values.begin(), 5, points.values.begin() + 5 * i);
    std::vector<float> p(24);
    backend->similarity(points)->conditional(0, 1, 3, 23, p);  // 11 at distance 0, where 3 were wanted
    CHECK(p[0] == 0);
    for (size_t j = 1; j < 12; ++j) CHECK(p[j] == doctest::Approx(1.0 / 11).epsilon(12 * kEpsilon));
    for (size_t j = 12; j < 24; ++j) CHECK(p[j] < 1e-20F);
    points.values.assign(points.values.size(), 1.0F);
    backend->similarity(points)->conditional(23, 1, 3, 23, p);
    for (size_t j = 0; j < 23; ++j) CHECK(p[j] == doctest::Approx(1.0 / 23).epsilon(24 * kEpsilon));
    CHECK(p[23] == 0);
  }
}

TEST_CASE("t-SNE: affinities are symmetric, sum to 1, and lose a ten-thousandth at most") {
  for (const auto& backend : tsne_backends()) {
    const Points points = clusters(90, 8, 5, 4, 5);
    const TsneAffinities a = tsne_affinities(*backend->similarity(points), points.count, 7, points.count - 1);
    std::vector<double> p(90 * 90);
    for (size_t i = 0; i < 90; ++i)
      for (auto k = static_cast<size_t>(a.begin[i]); k < static_cast<size_t>(a.begin[i + 1]); ++k) {
        if (k > static_cast<size_t>(a.begin[i])) CHECK(a.other[k - 1] < a.other[k]);
        p[i * 90 + static_cast<size_t>(a.other[k])] = a.p[k];
      }
    double sum = 0, missed = 0;
    for (size_t i = 0; i < 90; ++i) {
      const RowReference row = conditional_reference(points, static_cast<int64_t>(i), 7, 89);
      for (size_t j = 0; j < 90; ++j) {
        sum += p[i * 90 + j];
        CHECK(p[i * 90 + j] == p[j * 90 + i]);
        if (p[i * 90 + j] == 0) missed += row.p[j];
      }
      CHECK(p[i * 90 + i] == 0);
    }
    CHECK(std::abs(sum - 1) < 90 * kEpsilon);
    CHECK(missed / 90 < 1e-4);
  }
}

/// Sums of n numbers in f32 in any order, each with the rounding of about 16 operations.
double allowed(double n, double size) { return (n + 16) * kEpsilon * size; }

void check_forces(TsneBackend& backend, int64_t count, double size) {
  CAPTURE(count);
  CAPTURE(size);
  const Points points = clusters(count, 6, 3, 2, 11);
  const double perplexity = std::min(10.0, static_cast<double>(count - 1) / 3);
  const TsneAffinities a = tsne_affinities(*backend.similarity(points), count, perplexity, count - 1);
  const std::vector<float> map = random_map(count, size, 12);
  const auto field = backend.exact_forces(a);
  TsneForces got;
  field->forces(map, got);
  const ForcesReference wanted = forces_reference(a, wide(map));
  const auto n = static_cast<double>(count);
  CHECK(std::abs(got.normalisation - wanted.normalisation) < allowed(n, wanted.normalisation));
  double worst = 0;
  for (size_t k = 0; k < map.size(); ++k) {
    worst = std::max(
        worst, std::abs(got.attraction[k] - wanted.attraction[k]) / allowed(n, wanted.attraction_size[k]));
    worst = std::max(worst,
                     std::abs(got.repulsion[k] - wanted.repulsion[k]) / allowed(n, wanted.repulsion_size[k]));
  }
  CHECK(worst < 1);
  TsneForces again;
  field->forces(map, again);
  CHECK(again.attraction == got.attraction);
  CHECK(again.repulsion == got.repulsion);
  CHECK(again.normalisation == got.normalisation);
}

TEST_CASE("t-SNE: forces of all pairs") {
  for (const auto& backend : tsne_backends())
    for (const int64_t count : {4, 5, 33, 129, 300})
      for (const double size : {1e-4, 1.0, 30.0}) check_forces(*backend, count, size);
}

TEST_CASE("t-SNE: the forces are the gradient of the divergence") {
  for (const auto& backend : tsne_backends()) {
    const int64_t count = 40;
    const TsneAffinities a =
        tsne_affinities(*backend->similarity(clusters(count, 6, 3, 2, 21)), count, 8, count - 1);
    const std::vector<float> map = random_map(count, 1, 22);
    TsneForces f;
    backend->exact_forces(a)->forces(map, f);
    std::vector<double> moved = wide(map);
    constexpr double kStep = 1e-5;  // the truncation, of its square, and rounding are far below f32's
    double worst = 0, largest = 0;
    for (size_t k = 0; k < map.size(); ++k) {
      const double here = moved[k];
      moved[k] = here + kStep;
      const double above = divergence_reference(a, moved);
      moved[k] = here - kStep;
      const double slope = (above - divergence_reference(a, moved)) / (2 * kStep);
      moved[k] = here;
      const double gradient = 4 * (static_cast<double>(f.attraction[k]) - f.repulsion[k] / f.normalisation);
      worst = std::max(worst, std::abs(gradient - slope));
      largest = std::max(largest, std::abs(slope));
    }
    CHECK(worst < allowed(count, largest));
    CHECK(std::abs(kl_divergence(a, map, f.normalisation) - divergence_reference(a, wide(map))) <
          allowed(count, 1));
  }
}

}  // namespace
}  // namespace xf::test
