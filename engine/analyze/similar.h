#pragma once
// The images that a network sees as most alike.

#include <cstdint>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

struct Similar {
  int64_t row = 0;        ///< of the points
  double similarity = 0;  ///< cosine of the angle between the two: 1 for the same direction
};

/// Of each query the `count` most similar of `points` (at most all), the most similar first; ties: the first
/// row first. A row of zeros is similar to nothing but other such rows.
std::vector<std::vector<Similar>> most_similar(const Points& queries, const Points& points, int64_t count);

}  // namespace xf
