// conv2d and its two gradients, and pack.

#include "tests/ops/reference/reference.h"
#include "tests/ops/reference/winograd.h"

namespace xf::test {
namespace {

/// Calls body(output row, output column, kernel row, kernel column, input row, input column) for every pair
/// of positions that a window joins inside the input.
template <class Body>
void for_each_tap(const Conv2d& c, const Shape& in, const Shape& out, Body body) {
  for (int64_t oh = 0; oh < out.h; ++oh)
    for (int64_t ow = 0; ow < out.w; ++ow)
      for (int64_t kh = 0; kh < c.kernel_h; ++kh)
        for (int64_t kw = 0; kw < c.kernel_w; ++kw) {
          const int64_t ih = oh * c.stride_h - c.pad.top + kh, iw = ow * c.stride_w - c.pad.left + kw;
          if (ih >= 0 && ih < in.h && iw >= 0 && iw < in.w) body(oh, ow, kh, kw, ih, iw);
        }
}

/// `winograd`: the error bounds of that way to compute the sums, where it may be taken.
Array finish(Shape shape, const std::vector<Sum>& sums, Activation act, const std::vector<double>& winograd) {
  Array y = Array::inexact(shape);
  for (size_t i = 0; i < sums.size(); ++i) {
    // Bias and residual, which are not in Winograd's bound, are in the sum's.
    const double error = sums[i].error() + (winograd.empty() ? 0 : winograd[i]);
    set(y, i, activated({sums[i].value, error}, act));
  }
  return y;
}

}  // namespace

std::vector<Array> reference(const Conv2d& op, std::span<const Array> in) {
  const Array &x = in[0], &w = in[1], &bias = operand(in, 2), &residual = operand(in, 3);
  const Shape shape{x.shape.n, (x.shape.h + op.pad.top + op.pad.bottom - op.kernel_h) / op.stride_h + 1,
                    (x.shape.w + op.pad.left + op.pad.right - op.kernel_w) / op.stride_w + 1, w.shape.n};
  const Array y(shape);
  std::vector<Sum> sums(y.value.size());
  for_each_tap(op, x.shape, shape,
               [&](int64_t oh, int64_t ow, int64_t kh, int64_t kw, int64_t ih, int64_t iw) {
                 for (int64_t n = 0; n < shape.n; ++n)
                   for (int64_t o = 0; o < shape.c; ++o)
                     for (int64_t i = 0; i < x.shape.c; ++i)
                       sums[y.at(n, oh, ow, o)].add(x(n, ih, iw, i) * w(o, kh, kw, i));
               });
  for (size_t i = 0; i < sums.size(); ++i) {
    if (bias) sums[i].add(bias[static_cast<int64_t>(i) % shape.c]);
    if (residual) sums[i].add(residual.value[i]);
  }
  const bool may = winograd::may_compute(op, x.shape, shape);
  return {finish(shape, sums, op.act, may ? winograd::output_error(op, x, w, shape) : std::vector<double>{})};
}

std::vector<Array> reference(const ConvBwdData& op, std::span<const Array> in) {
  const Array &dy = in[0], &w = in[1];
  const Array dx(op.input);
  std::vector<Sum> sums(dx.value.size());
  for_each_tap(op.conv, op.input, dy.shape,
               [&](int64_t oh, int64_t ow, int64_t kh, int64_t kw, int64_t ih, int64_t iw) {
                 for (int64_t n = 0; n < op.input.n; ++n)
                   for (int64_t o = 0; o < dy.shape.c; ++o)
                     for (int64_t i = 0; i < op.input.c; ++i)
                       sums[dx.at(n, ih, iw, i)].add(dy(n, oh, ow, o) * w(o, kh, kw, i));
               });
  const bool may = winograd::may_compute(op.conv, op.input, dy.shape);
  return {finish(op.input, sums, Activation::none,
                 may ? winograd::input_gradient_error(op.conv, dy, w, op.input) : std::vector<double>{})};
}

std::vector<Array> reference(const ConvBwdWeights& op, std::span<const Array> in) {
  const Array &x = in[0], &dy = in[1];
  const Array dw(op.weights);
  std::vector<Sum> sums(dw.value.size());
  for_each_tap(op.conv, x.shape, dy.shape,
               [&](int64_t oh, int64_t ow, int64_t kh, int64_t kw, int64_t ih, int64_t iw) {
                 for (int64_t n = 0; n < x.shape.n; ++n)
                   for (int64_t o = 0; o < dy.shape.c; ++o)
                     for (int64_t i = 0; i < x.shape.c; ++i)
                       sums[dw.at(o, kh, kw, i)].add(x(n, ih, iw, i) * dy(n, oh, ow, o));
               });
  const bool may = winograd::may_compute(op.conv, x.shape, dy.shape);
  return {finish(op.weights, sums, Activation::none,
                 may ? winograd::weight_gradient_error(op.conv, x, dy, op.weights) : std::vector<double>{})};
}

// Opaque bytes to everyone but its consumer: no number changes.
std::vector<Array> reference(const Pack& /*op*/, std::span<const Array> in) { return {in[0]}; }

}  // namespace xf::test
