#pragma once
// Which positions a pooling window covers, along one axis.

#include <algorithm>
#include <cstdint>

#include "engine/graph/ops.h"

namespace xf::cpu {

/// A half-open range.
struct Range {
  int64_t begin, end;
};

/// One axis of a pool.
struct PoolAxis {
  int64_t in, out, kernel, stride, before, after, extra;
  CountPadding count;

  /// The first input position of window `o`, which may lie in the padding.
  [[nodiscard]] int64_t start(int64_t o) const { return o * stride - before; }
  /// The input positions in window `o`.
  [[nodiscard]] Range inputs(int64_t o) const {
    return {std::max<int64_t>(start(o), 0), std::min(start(o) + kernel, in)};
  }
  /// The windows that hold input position `i`.
  [[nodiscard]] Range windows(int64_t i) const {
    const int64_t first = i + before - kernel + 1;
    return {first <= 0 ? 0 : (first + stride - 1) / stride, std::min(out, (i + before) / stride + 1)};
  }
  /// How many positions of window `o` an average divides by: padding that ceil rounding added never counts.
  [[nodiscard]] int64_t counted(int64_t o) const {
    const int64_t low = count == CountPadding::yes ? start(o) : std::max<int64_t>(start(o), 0);
    const int64_t high = count == CountPadding::yes ? in + after - extra : in;
    return std::max<int64_t>(std::min(start(o) + kernel, high) - low, 1);
  }
  /// This axis's factor of an average's weight.
  [[nodiscard]] float weight(int64_t o) const { return 1.0F / static_cast<float>(counted(o)); }
};

struct PoolAxes {
  PoolAxis h, w;
  PoolAxes(const Pool& p, const Shape& x, const Shape& y)
      : h{x.h, y.h, p.kernel_h, p.stride_h, p.pad.top, p.pad.bottom, p.ceil_extra_h, p.count},
        w{x.w, y.w, p.kernel_w, p.stride_w, p.pad.left, p.pad.right, p.ceil_extra_w, p.count} {}
  /// What an average multiplies its sum by.
  [[nodiscard]] float weight(int64_t oh, int64_t ow) const {
    return 1.0F / static_cast<float>(h.counted(oh) * w.counted(ow));
  }
};

}  // namespace xf::cpu
