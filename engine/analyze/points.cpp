#include "engine/analyze/points.h"

namespace xf {

Points rows_of(const Points& points, std::span<const int64_t> rows) {
  Points some{static_cast<int64_t>(rows.size()), points.dims, {}};
  some.values.reserve(rows.size() * static_cast<size_t>(points.dims));
  for (const int64_t i : rows) {
    const auto row = points.row(i);
    some.values.insert(some.values.end(), row.begin(), row.end());
  }
  return some;
}

}  // namespace xf
