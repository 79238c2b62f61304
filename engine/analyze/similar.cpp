#include "engine/analyze/similar.h"

#include <algorithm>
#include <cmath>

#include "engine/analyze/distances.h"

namespace xf {

namespace {

Points unit_length(Points points) {
  for (int64_t i = 0; i < points.count; ++i) {
    double squares = 0;
    for (const float x : points.row(i)) squares += static_cast<double>(x) * x;
    if (squares == 0) continue;
    for (int64_t d = 0; d < points.dims; ++d)
      points.values[static_cast<size_t>(i * points.dims + d)] /= static_cast<float>(std::sqrt(squares));
  }
  return points;
}

}  // namespace

std::vector<std::vector<Similar>> most_similar(const Points& queries, const Points& points, int64_t count) {
  const int64_t k = std::min(count, points.count);
  const Neighbours near = nearest_neighbours(unit_length(queries), unit_length(points), k);
  std::vector<std::vector<Similar>> all(static_cast<size_t>(queries.count));
  for (size_t q = 0; q < all.size(); ++q)
    for (int64_t n = 0; n < k; ++n) {
      const auto at = q * static_cast<size_t>(k) + static_cast<size_t>(n);
      all[q].push_back({near.index[at], 1 - static_cast<double>(near.squared[at]) / 2});
    }
  return all;
}

}  // namespace xf
