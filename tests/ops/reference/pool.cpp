// Pooling and its gradients.

#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

struct Extent {
  int64_t begin, end;
};

/// The window's part inside [low, high).
Extent clip(int64_t start, int64_t kernel, int64_t low, int64_t high) {
  return {std::max(start, low), std::min(start + kernel, high)};
}

struct Window {
  Extent h, w;
  double divisor;  ///< of an average
  int64_t top, left;
};

Window window(const Pool& p, const Shape& in, int64_t oh, int64_t ow) {
  const int64_t top = oh * p.stride_h - p.pad.top, left = ow * p.stride_w - p.pad.left;
  Window v{clip(top, p.kernel_h, 0, in.h), clip(left, p.kernel_w, 0, in.w), 0, top, left};
  Extent ch = v.h, cw = v.w;
  if (p.count == CountPadding::yes) {  // the padding as declared, without what ceil rounding added
    ch = clip(top, p.kernel_h, -p.pad.top, in.h + p.pad.bottom - p.ceil_extra_h);
    cw = clip(left, p.kernel_w, -p.pad.left, in.w + p.pad.right - p.ceil_extra_w);
  }
  v.divisor = static_cast<double>((ch.end - ch.begin) * (cw.end - cw.begin));
  return v;
}

Shape pooled(const Pool& p, const Shape& in) {
  return {in.n, (in.h + p.pad.top + p.pad.bottom - p.kernel_h) / p.stride_h + 1,
          (in.w + p.pad.left + p.pad.right - p.kernel_w) / p.stride_w + 1, in.c};
}

/// A NaN is higher than every number.
bool higher(double a, double b) { return a > b || (std::isnan(a) && !std::isnan(b)); }

template <class Body>
void for_each(const Shape& s, Body body) {
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t h = 0; h < s.h; ++h)
      for (int64_t w = 0; w < s.w; ++w)
        for (int64_t c = 0; c < s.c; ++c) body(n, h, w, c);
}

}  // namespace

std::vector<Array> reference(const Pool& op, std::span<const Array> in) {
  const Array& x = in[0];
  const Shape shape = pooled(op, x.shape);
  if (op.kind == PoolKind::max) {
    Array y(shape), argmax(shape);
    for_each(shape, [&](int64_t n, int64_t oh, int64_t ow, int64_t c) {
      const Window v = window(op, x.shape, oh, ow);
      double best = 0;
      int64_t position = -1;
      for (int64_t ih = v.h.begin; ih < v.h.end; ++ih)
        for (int64_t iw = v.w.begin; iw < v.w.end; ++iw)
          if (const double here = x(n, ih, iw, c); position < 0 || higher(here, best)) {
            best = here;
            position = (ih - v.top) * op.kernel_w + iw - v.left;
          }
      y.value[y.at(n, oh, ow, c)] = best;
      argmax.value[y.at(n, oh, ow, c)] = static_cast<double>(position);
    });
    return {y, argmax};
  }
  Array y = Array::inexact(shape);
  for_each(shape, [&](int64_t n, int64_t oh, int64_t ow, int64_t c) {
    const Window v = window(op, x.shape, oh, ow);
    Sum sum;
    for (int64_t ih = v.h.begin; ih < v.h.end; ++ih)
      for (int64_t iw = v.w.begin; iw < v.w.end; ++iw) sum.add(x(n, ih, iw, c));
    set(y, y.at(n, oh, ow, c), {sum.value / v.divisor, sum.error(2) / v.divisor});
  });
  return {y, Array{}};
}

std::vector<Array> reference(const PoolBwd& op, std::span<const Array> in) {
  const Array &dy = in[0], &argmax = operand(in, 1);
  const Pool& p = op.pool;
  const Array index(op.input);
  std::vector<Sum> sums(index.value.size());
  for_each(dy.shape, [&](int64_t n, int64_t oh, int64_t ow, int64_t c) {
    const Window v = window(p, op.input, oh, ow);
    const double g = dy(n, oh, ow, c);
    if (p.kind == PoolKind::max) {
      const auto position = static_cast<int64_t>(argmax(n, oh, ow, c));
      sums[index.at(n, v.top + position / p.kernel_w, v.left + position % p.kernel_w, c)].add(g);
      return;
    }
    for (int64_t ih = v.h.begin; ih < v.h.end; ++ih)
      for (int64_t iw = v.w.begin; iw < v.w.end; ++iw) sums[index.at(n, ih, iw, c)].add(g / v.divisor);
  });
  const double division = p.kind == PoolKind::max ? 0 : 2;  // a reciprocal and a product
  Array dx = Array::inexact(op.input);
  for (size_t i = 0; i < sums.size(); ++i) {
    const bool copied = p.kind == PoolKind::max && sums[i].terms <= 1;
    set(dx, i, {sums[i].value, copied ? 0 : sums[i].error(division)});
  }
  return {dx};
}

std::vector<Array> reference(const GlobalAvgPool& /*op*/, std::span<const Array> in) {
  const Array& x = in[0];
  Array y = Array::inexact({x.shape.n, 1, 1, x.shape.c});
  for (int64_t n = 0; n < x.shape.n; ++n)
    for (int64_t c = 0; c < x.shape.c; ++c) {
      Sum sum;
      for (int64_t h = 0; h < x.shape.h; ++h)
        for (int64_t w = 0; w < x.shape.w; ++w) sum.add(x(n, h, w, c));
      const double area = static_cast<double>(x.shape.h * x.shape.w);
      set(y, y.at(n, 0, 0, c), {sum.value / area, sum.error(2) / area});
    }
  return {y};
}

std::vector<Array> reference(const GlobalAvgPoolBwd& op, std::span<const Array> in) {
  const Array& dy = in[0];
  Array dx = Array::inexact(op.input);
  const double area = static_cast<double>(op.input.h * op.input.w);
  for_each(op.input, [&](int64_t n, int64_t h, int64_t w, int64_t c) {
    const double v = dy(n, 0, 0, c) / area;
    set(dx, dx.at(n, h, w, c), {v, chain(2) * std::abs(v)});
  });
  return {dx};
}

}  // namespace xf::test
