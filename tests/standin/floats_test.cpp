// How the stand-in rounds.

#include "tests/standin/floats.h"

#include <doctest/doctest.h>

#include <cmath>

namespace xf::standin {
namespace {

TEST_CASE("cudnn and cublasLt round to nearest, ties to even, and once") {
  CHECK(rounded(Element::f32, 1 + 0x1p-24) == 1);
  CHECK(rounded(Element::f32, 1 + 0x3p-24) == 1 + 0x2p-23);
  CHECK(rounded(Element::bf16, 257) == 256);
  CHECK(rounded(Element::bf16, 259) == 260);
  CHECK(rounded(Element::bf16, 257 + 0x1p-40) == 258);  // an f32 on the way would lose the rest
  CHECK(rounded(Element::f16, 2049) == 2048);
  CHECK(rounded(Element::f16, 2051) == 2052);
  CHECK(rounded(Element::f16, 2049 + 0x1p-40) == 2050);
  CHECK(std::isinf(rounded(Element::f16, 65520)));
}

TEST_CASE("cudnn and cublasLt cut TF32 operands to 10 bits of mantissa") {
  CHECK(tf32(1 + 0x1p-10) == 1 + 0x1p-10);
  CHECK(tf32(1 + 0x1p-11) == 1);
  CHECK(tf32(1 + 0x3p-11) == 1 + 0x2p-10);
  CHECK(tf32(-3) == -3);
  CHECK(tf32(INFINITY) == INFINITY);
  CHECK(std::isnan(tf32(NAN)));
}

}  // namespace
}  // namespace xf::standin
