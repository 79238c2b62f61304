#pragma once
// The directions in which points vary most: features of thousands of numbers in a few dozen.

#include <cstdint>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

struct PrincipalAxes {
  int64_t dims = 0;              ///< of the points
  int64_t count = 0;             ///< axes
  std::vector<float> mean;       ///< (dims) of the points
  std::vector<float> axes;       ///< (count, dims), orthonormal
  std::vector<double> variance;  ///< (count) along each axis, falling

  /// (points, count): what is left of each point on the axes. Distances never grow by it.
  [[nodiscard]] Points project(const Points& points) const;
};

/// The first `count` principal axes, at most as many as dims and points: exact where that is all of them, and
/// otherwise by subspace iteration from a seeded random start (Halko, Martinsson & Tropp 2011), six rounds
/// with ten directions to spare. The same bits at any number of threads.
PrincipalAxes principal_axes(const Points& points, int64_t count);

}  // namespace xf
