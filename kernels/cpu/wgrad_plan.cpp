#include "kernels/cpu/wgrad_plan.h"

#include <algorithm>

namespace xf::cpu::wgrad {

namespace {

/// Output positions of a chunk: 64 channels of x and 128 of dy then take about 800 KiB. More positions would
/// leave a usual second-level cache, fewer would read and write dw more often.
constexpr int64_t kPositions = 1100;

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

Tap make_tap(const Walk& w, int64_t row_offset, int64_t column) {
  Tap t;
  t.row_offset = row_offset;
  t.column_offset = floor_div(column, w.stride_w);
  t.phase = column - t.column_offset * w.stride_w;
  t.first_row = std::max<int64_t>(0, ceil_div(-row_offset, w.stride_h));
  t.last_row = std::clamp<int64_t>(ceil_div(w.in_rows - row_offset, w.stride_h), 0, w.rows);
  t.first_column = std::max<int64_t>(0, -t.column_offset);
  t.last_column = std::clamp<int64_t>(w.pixels(t.phase) - t.column_offset, 0, w.columns);
  return t;
}

/// The runs of one tap over a chunk's rows.
std::vector<Run> make_runs(const Walk& w, const ChunkShape& c, const Tap& t) {
  const bool pairs = w.type != DType::f32;
  // A pair of outputs starts at an even column. One column before the first meets a zero in x.
  const int64_t first = pairs ? t.first_column & ~int64_t{1} : t.first_column;
  std::vector<Run> runs;
  if (t.first_column >= t.last_column) return runs;
  for (int64_t image = 0; image < c.images; ++image)
    for (int64_t row = std::max(c.first_row, t.first_row); row < std::min(c.last_row, t.last_row); ++row) {
      const int64_t in_row = image * c.in_rows() + row * w.stride_h + t.row_offset - c.first_in_row;
      const int64_t dy_row = image * c.rows() + row - c.first_row;
      Run run;
      run.x = in_row * w.x_row_entries() + t.phase * x_entries(w.type, w.pixels(0)) + first +
              t.column_offset + (pairs ? 1 : 0);
      run.dy = dy_row * w.dy_row_entries() + (pairs ? first / 2 : first);
      run.steps = pairs ? (t.last_column - first + 1) / 2 : t.last_column - first;
      runs.push_back(run);
    }
  return runs;
}

ChunkShape make_shape(const Walk& w, int64_t images, int64_t first_row, int64_t last_row) {
  ChunkShape c;
  c.images = images;
  c.first_row = first_row;
  c.last_row = last_row;
  int64_t first = w.in_rows, last = 0;
  for (const Tap& t : w.taps) {
    const int64_t begin = std::max(first_row, t.first_row), end = std::min(last_row, t.last_row);
    if (begin >= end) continue;
    first = std::min(first, begin * w.stride_h + t.row_offset);
    last = std::max(last, (end - 1) * w.stride_h + t.row_offset + 1);
  }
  c.first_in_row = std::min(first, last);
  c.last_in_row = last;
  for (const Tap& t : w.taps) c.runs.push_back(make_runs(w, c, t));
  return c;
}

}  // namespace

Walk::Walk(const Conv2d& op, const Shape& x, const Shape& y, DType t)
    : type(t),
      images(x.n),
      rows(y.h),
      columns(y.w),
      in_rows(x.h),
      in_columns(x.w),
      stride_h(op.stride_h),
      stride_w(op.stride_w) {
  const bool vertical =
      op.kernel_w == 1 && stride_w == 1 && stride_h == 1 && op.pad.left == 0 && op.pad.right == 0;
  if (vertical && rows * columns <= kPositions) {
    const int64_t width = in_columns;
    columns *= rows;
    in_columns *= in_rows;
    rows = in_rows = 1;
    for (int r = 0; r < op.kernel_h; ++r) taps.push_back(make_tap(*this, 0, (r - op.pad.top) * width));
    return;
  }
  for (int r = 0; r < op.kernel_h; ++r)
    for (int s = 0; s < op.kernel_w; ++s) taps.push_back(make_tap(*this, r - op.pad.top, s - op.pad.left));
}

bool Walk::reads_row(int64_t in_row) const {
  return std::any_of(taps.begin(), taps.end(),
                     [&](const Tap& t) { return (in_row - t.row_offset) % stride_h == 0; });
}

bool Walk::reads_phase(int64_t phase) const {
  return std::any_of(taps.begin(), taps.end(), [&](const Tap& t) { return t.phase == phase; });
}

Chunks::Chunks(const Walk& w) {
  const int64_t map = w.rows * w.columns;
  if (2 * map <= kPositions) {  // several images in a chunk
    const int64_t together = std::min(w.images, kPositions / map);
    shapes.push_back(make_shape(w, together, 0, w.rows));
    int64_t image = 0;
    for (; image + together <= w.images; image += together) order.push_back({0, image});
    if (image < w.images) {
      shapes.push_back(make_shape(w, w.images - image, 0, w.rows));
      order.push_back({1, image});
    }
    return;
  }
  const int64_t count = std::min(w.rows, ceil_div(map, kPositions));
  for (int64_t i = 0; i < count; ++i)
    shapes.push_back(make_shape(w, 1, w.rows * i / count, w.rows * (i + 1) / count));
  for (int64_t image = 0; image < w.images; ++image)
    for (size_t i = 0; i < shapes.size(); ++i) order.push_back({i, image});
}

}  // namespace xf::cpu::wgrad
