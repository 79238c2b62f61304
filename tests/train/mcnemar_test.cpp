#include "engine/train/mcnemar.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace xf;

namespace {

double p_of(int64_t only_first, int64_t only_second) { return mcnemar({50, only_first, only_second, 7}); }

/// The rounding of lgamma(n + 1), which is less than n ln n + 1, times a few for the three of them.
double rounding(double n) { return 8 * (n * std::log(n) + 1) * std::numeric_limits<double>::epsilon(); }

}  // namespace

TEST_CASE("McNemar's exact p, worked out in whole numbers") {
  CHECK(p_of(0, 1) == doctest::Approx(1).epsilon(rounding(2)));             // 2 (1) / 2
  CHECK(p_of(0, 5) == doctest::Approx(1.0 / 16).epsilon(rounding(5)));      // 2 (1) / 32
  CHECK(p_of(1, 9) == doctest::Approx(22.0 / 1024).epsilon(rounding(10)));  // 2 (1 + 10) / 1024
  // 2 (1 + 12 + 66 + 220) / 4096
  CHECK(p_of(3, 9) == doctest::Approx(598.0 / 4096).epsilon(rounding(12)));
  // Sums of binomial coefficients in whole numbers of any length (Python's): C(100, k), k = 0 … 35, and
  CHECK(p_of(35, 65) == doctest::Approx(0.0035176417229701583).epsilon(rounding(100)));
  // C(236, k), k = 0 … 86, of the prime minister's approval in A. Agresti's "Categorical Data Analysis".
  CHECK(p_of(86, 150) == doctest::Approx(3.715936139571442e-05).epsilon(rounding(236)));
}

TEST_CASE("McNemar's p: both ways, at its ends, and whoever agrees does not count") {
  CHECK(p_of(0, 0) == 1);
  CHECK(p_of(4, 4) == 1);
  CHECK(p_of(4, 5) == 1);
  CHECK(p_of(3, 9) == p_of(9, 3));
  CHECK(mcnemar({0, 3, 9, 0}) == mcnemar({1000000, 3, 9, 12345}));
  CHECK(mcnemar({}) == 1);
  // All of 2000 on one side: 2^-1999, not representable; of 1000: 2^-999.
  CHECK(p_of(2000, 0) == 0);
  CHECK(p_of(1000, 0) == doctest::Approx(std::ldexp(1.0, -999)).epsilon(rounding(1000)));
  // Of very many the tail is the normal distribution's: four deviations, corrected for steps.
  const double z = (2 * 2000.0 - 1) / std::sqrt(1e6);
  CHECK(p_of(498000, 502000) == doctest::Approx(std::erfc(z / std::sqrt(2.0))).epsilon(1e-4));
}

TEST_CASE("Holm's p") {
  // The smallest three times, the next twice; the last takes no less than the one before it.
  const std::vector<double> p = holm({0.02, 0.04, 0.03});
  CHECK(p[0] == doctest::Approx(0.06));
  CHECK(p[2] == doctest::Approx(0.06));
  CHECK(p[1] == doctest::Approx(0.06));
  const std::vector<double> apart = holm({0.5, 0.001, 0.01, 0.7});
  CHECK(apart[0] == doctest::Approx(1));
  CHECK(apart[1] == doctest::Approx(0.004));
  CHECK(apart[2] == doctest::Approx(0.03));
  CHECK(apart[3] == doctest::Approx(1));
  CHECK(holm({0.3}) == std::vector<double>{0.3});
  CHECK(holm({}).empty());
}
