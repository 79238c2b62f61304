#pragma once
// Points of a Gaussian mixture, whose components are known.

#include <vector>

#include "engine/analyze/points.h"
#include "engine/core/rng.h"

namespace xf::test {

struct Mixture {
  Points points;
  std::vector<int32_t> component;
};

/// `sizes` points of each component, in turn; centres are normal with deviation `spread`, points around them
/// with deviation 1.
inline Mixture mixture(const std::vector<int64_t>& sizes, int64_t dims, double spread, uint64_t seed) {
  Mixture m{{0, dims, {}}, {}};
  Rng rng(seed);
  for (size_t c = 0; c < sizes.size(); ++c) {
    std::vector<double> centre;
    for (int64_t d = 0; d < dims; ++d) centre.push_back(spread * rng.normal());
    for (int64_t i = 0; i < sizes[c]; ++i) {
      for (const double x : centre) m.points.values.push_back(static_cast<float>(x + rng.normal()));
      m.component.push_back(static_cast<int32_t>(c));
      ++m.points.count;
    }
  }
  return m;
}

}  // namespace xf::test
