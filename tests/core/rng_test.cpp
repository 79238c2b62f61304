#include "engine/core/rng.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

TEST_CASE("philox gives the published known answers") {
  // Random123, kat_vectors: philox4x32 10 rounds.
  const xf::Philox4 zero = xf::philox(0, 0, 0);
  CHECK(zero.v[0] == 0x6627e8d5U);
  CHECK(zero.v[1] == 0xe169c58dU);
  CHECK(zero.v[2] == 0xbc57ac4cU);
  CHECK(zero.v[3] == 0x9b00dbd8U);
  const xf::Philox4 ones = xf::philox(~0ULL, ~0ULL, ~0ULL);
  CHECK(ones.v[0] == 0x408f276dU);
  CHECK(ones.v[1] == 0x41c83b0eU);
  CHECK(ones.v[2] == 0xa20bc7c6U);
  CHECK(ones.v[3] == 0x6d5451fdU);
}

TEST_CASE("a stream repeats itself and its moments are those of the distribution") {
  xf::Rng a(3, 7), b(3, 7), other(3, 8);
  CHECK(a.next() == b.next());
  CHECK(a.next() != other.next());
  double sum = 0, square = 0;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    const double x = a.normal();
    sum += x;
    square += x * x;
  }
  CHECK(std::abs(sum / kCount) < 5.0 / std::sqrt(kCount));  // 5 standard errors
  CHECK(std::abs(square / kCount - 1.0) < 5.0 * std::sqrt(2.0 / kCount));
}

TEST_CASE("shuffle is a permutation") {
  std::vector<int> v(100), sorted(100);
  std::iota(v.begin(), v.end(), 0);
  sorted = v;
  xf::Rng(1).shuffle(v);
  CHECK(v != sorted);
  std::sort(v.begin(), v.end());
  CHECK(v == sorted);
}
