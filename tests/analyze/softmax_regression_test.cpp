#include "engine/analyze/softmax_regression.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/analyze/lbfgs.h"
#include "tests/analyze/mixture.h"

TEST_CASE("L-BFGS finds the minimum of Rosenbrock's function") {
  const auto rosenbrock = [](std::span<const double> x, std::span<double> g) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
  };
  const auto x = xf::minimise(rosenbrock, {-1.2, 1}, 1e-8, 500);
  CHECK(x[0] == doctest::Approx(1).epsilon(1e-6));
  CHECK(x[1] == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("at the fit the gradient of the stated loss vanishes") {
  const auto m = xf::test::mixture({50, 40, 30}, 3, 1.5, 9);
  const auto fit = fit_softmax_regression(m.points, m.component, 3);
  const auto p = fit.probabilities(m.points);
  // d/dw of sum of cross-entropies + |w|²/2: sum of (p - y) x + w, and sum of (p - y) for the added row.
  for (size_t c = 0; c < 3; ++c)
    for (size_t d = 0; d <= 3; ++d) {
      double g = d < 3 ? fit.weights[d * 3 + c] : 0;
      for (int64_t i = 0; i < m.points.count; ++i) {
        const double y = m.component[static_cast<size_t>(i)] == static_cast<int32_t>(c) ? 1 : 0;
        g += (p.row(i)[c] - y) * (d < 3 ? m.points.row(i)[d] : 1);
      }
      // It stops at 1e-6 a point; probabilities are f32, a point's coordinates less than 10.
      CHECK(std::abs(g) < 120 * (1e-6 + 10 * 6e-8));
    }
  for (int64_t i = 0; i < m.points.count; ++i)
    CHECK(p.row(i)[0] + p.row(i)[1] + p.row(i)[2] == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("components far apart are told apart") {
  const auto m = xf::test::mixture({50, 40, 30}, 6, 8, 1), other = xf::test::mixture({50, 40, 30}, 6, 8, 1);
  const auto p = fit_softmax_regression(m.points, m.component, 3).probabilities(other.points);
  for (int64_t i = 0; i < p.count; ++i)
    CHECK(p.row(i)[static_cast<size_t>(other.component[static_cast<size_t>(i)])] > 0.9);
}
