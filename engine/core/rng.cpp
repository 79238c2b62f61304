#include "engine/core/rng.h"

#include <cmath>
#include <numbers>

namespace xf {

uint32_t Rng::next() {
  if (left_ == 0) {
    block_ = philox(seed_, stream_, position_++);
    left_ = 4;
  }
  return block_.v[4 - left_--];
}

double Rng::uniform() {
  const uint64_t high = next(), low = next();
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1p-53;
}

double Rng::normal() {
  const double u = 1.0 - uniform(), v = uniform();  // u is never 0
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

uint64_t Rng::below(uint64_t n) {
  const uint64_t limit = n * (UINT64_MAX / n);  // the largest multiple of n: above it a remainder is biased
  for (;;) {
    const uint64_t x = (uint64_t{next()} << 32) | next();
    if (x < limit) return x % n;
  }
}

}  // namespace xf
