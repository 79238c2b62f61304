#include "engine/analyze/principal_axes.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/core/threads.h"
#include "tests/analyze/mixture.h"

using xf::Points;
using xf::PrincipalAxes;

namespace {

/// Points along known axes: a rotation of independent coordinates whose deviations fall.
Points stretched(int64_t count, const std::vector<double>& deviation, uint64_t seed) {
  const auto dims = static_cast<int64_t>(deviation.size());
  Points p{count, dims, {}};
  xf::Rng rng(seed);
  for (int64_t i = 0; i < count; ++i) {
    std::vector<double> x = deviation;
    for (double& along : x) along *= rng.normal();
    for (int64_t k = 0; k + 1 < dims; ++k) {  // Givens rotations by 0.5 mix all of them
      const auto a = static_cast<size_t>(k);
      const double u = std::cos(0.5) * x[a] - std::sin(0.5) * x[a + 1];
      x[a + 1] = std::sin(0.5) * x[a] + std::cos(0.5) * x[a + 1];
      x[a] = u;
    }
    for (const double v : x) p.values.push_back(static_cast<float>(v + 7));
  }
  return p;
}

double total_variance(const Points& p) {
  double total = 0;
  for (int64_t d = 0; d < p.dims; ++d) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < p.count; ++i) sum += p.row(i)[static_cast<size_t>(d)];
    for (int64_t i = 0; i < p.count; ++i) {
      const double c = p.row(i)[static_cast<size_t>(d)] - sum / static_cast<double>(p.count);
      squares += c * c;
    }
    total += squares / static_cast<double>(p.count - 1);
  }
  return total;
}

void check_orthonormal(const PrincipalAxes& a) {
  for (int64_t i = 0; i < a.count; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double dot = 0;
      for (int64_t d = 0; d < a.dims; ++d)
        dot += static_cast<double>(a.axes[static_cast<size_t>(i * a.dims + d)]) *
               a.axes[static_cast<size_t>(j * a.dims + d)];
      CHECK(std::abs(dot - (i == j ? 1 : 0)) <
            1e-6);  // axes are f32: 2^-24 for each of two factors of length 1
    }
}

}  // namespace

TEST_CASE("all axes hold all of the variance, and keep distances") {
  const Points p = stretched(200, {9, 5, 3, 1, 0.5}, 2);
  const PrincipalAxes a = principal_axes(p, 5);
  check_orthonormal(a);
  double sum = 0;
  for (size_t k = 0; k < 5; ++k) {
    sum += a.variance[k];
    if (k > 0) CHECK(a.variance[k] <= a.variance[k - 1]);
  }
  CHECK(sum == doctest::Approx(total_variance(p)).epsilon(1e-6));
  const Points q = a.project(p);
  for (int64_t i = 1; i < p.count; ++i) {
    double before = 0, after = 0;
    for (size_t d = 0; d < 5; ++d) {
      before += std::pow(static_cast<double>(p.row(i)[d]) - p.row(0)[d], 2);
      after += std::pow(static_cast<double>(q.row(i)[d]) - q.row(0)[d], 2);
    }
    CHECK(std::sqrt(after) == doctest::Approx(std::sqrt(before)).epsilon(1e-5));
  }
}

TEST_CASE("some axes of many are those that all of them begin with") {
  std::vector<double> deviation(40, 10);
  for (size_t k = 0; k < deviation.size(); ++k) deviation[k] *= std::pow(0.8, k);
  const Points p = stretched(150, deviation, 4);
  const PrincipalAxes exact = principal_axes(p, 40), some = principal_axes(p, 6);
  CHECK(some.count == 6);
  check_orthonormal(some);
  for (size_t k = 0; k < 6; ++k) {
    // The neglected part shrinks by (0.8^10)^2 a round, in variance squared again: nothing is left of it.
    CHECK(some.variance[k] == doctest::Approx(exact.variance[k]).epsilon(1e-6));
    double dot = 0;
    for (size_t d = 0; d < 40; ++d)
      dot += static_cast<double>(some.axes[k * 40 + d]) * exact.axes[k * 40 + d];
    CHECK(std::abs(dot) == doctest::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("fewer points than dimensions, and points that coincide") {
  const Points few = xf::test::mixture({4}, 30, 1, 8).points;
  const PrincipalAxes a = principal_axes(few, 10);
  CHECK(a.count == 4);
  CHECK(a.variance[2] > 0);
  CHECK(a.variance[3] < 1e-9 * a.variance[0]);  // four points span three dimensions
  const PrincipalAxes none = xf::principal_axes({3, 2, {1, 2, 1, 2, 1, 2}}, 2);
  CHECK(none.variance == std::vector<double>{0, 0});
  CHECK(none.project({1, 2, {1, 2}}).values == std::vector<float>{0, 0});
}

TEST_CASE("the axes do not depend on the number of threads") {
  const Points p = xf::test::mixture({100}, 80, 1, 8).points;
  const int threads = xf::threads();
  xf::set_threads(1);
  const auto one = principal_axes(p, 5).axes;
  xf::set_threads(4);
  CHECK(principal_axes(p, 5).axes == one);
  xf::set_threads(threads);
}
