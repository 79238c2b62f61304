#pragma once
// Points of a feature space: one row an image.

#include <cstdint>
#include <span>
#include <vector>

namespace xf {

struct Points {
  int64_t count = 0, dims = 0;
  std::vector<float> values;  ///< (count, dims), row by row

  [[nodiscard]] std::span<const float> row(int64_t i) const {
    return {values.data() + i * dims, static_cast<size_t>(dims)};
  }
};

/// Some of the rows, in the order given.
Points rows_of(const Points& points, std::span<const int64_t> rows);

}  // namespace xf
