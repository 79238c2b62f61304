// float16 against its definition: every one of its numbers, and the rounding of what lies between two.

#include "engine/core/dtype.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace xf::test {
namespace {

float16 half_of(uint32_t bits) {
  float16 h;
  h.bits = static_cast<uint16_t>(bits);
  return h;
}

double value_of(uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31U), fraction = static_cast<int>(bits & 1023U);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("float16: every number reads as defined and comes back") {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 0x10000U; ++bits) {
    const auto read = static_cast<float>(half_of(bits));
    if ((bits & 0x7c00U) == 0x7c00U) {  // infinity, or NaN
      wrong += (bits & 1023U) == 0
                   ? static_cast<int>(!std::isinf(read) || std::signbit(read) != bits >> 15)
                   : static_cast<int>(!std::isnan(read) || !std::isnan(static_cast<float>(float16(read))));
      continue;
    }
    wrong += static_cast<int>(read != value_of(bits) || float16(read).bits != bits);
  }
  CHECK(wrong == 0);
}

TEST_CASE("float16: what lies between two numbers goes to the nearer, halfway to the even one") {
  int wrong = 0;
  for (uint32_t bits = 0; bits < 0x7bffU; ++bits) {
    const double low = value_of(bits), high = value_of(bits + 1), middle = (low + high) / 2;
    const auto even = (bits & 1U) == 0 ? bits : bits + 1;
    const auto m = static_cast<float>(middle);
    wrong += static_cast<int>(float16(m).bits != even);
    wrong += static_cast<int>(float16(std::nextafterf(m, 0)).bits != bits);
    wrong += static_cast<int>(float16(std::nextafterf(m, 1e9F)).bits != bits + 1);
    wrong += static_cast<int>(float16(-m).bits != (even | 0x8000U));
  }
  CHECK(wrong == 0);
  CHECK(float16(65519.996F).bits == 0x7bffU);
  CHECK(float16(65520.0F).bits == 0x7c00U);
  CHECK(float16(-std::numeric_limits<float>::infinity()).bits == 0xfc00U);
}

}  // namespace xf::test
