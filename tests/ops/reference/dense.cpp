// dense and its two gradients.

#include "tests/ops/reference/reference.h"

namespace xf::test {

std::vector<Array> reference(const Dense& op, std::span<const Array> in) {
  const Array &x = in[0], &w = in[1], &bias = operand(in, 2);
  const int64_t images = x.shape.n, outputs = w.shape.n, length = x.count() / images;
  Array y = Array::inexact({images, 1, 1, outputs});
  for (int64_t n = 0; n < images; ++n)
    for (int64_t o = 0; o < outputs; ++o) {
      Sum sum;
      for (int64_t i = 0; i < length; ++i) sum.add(x[n * length + i] * w[o * length + i]);
      if (bias) sum.add(bias[o]);
      set(y, y.at(n, 0, 0, o), activated({sum.value, sum.error()}, op.act));
    }
  return {y};
}

std::vector<Array> reference(const DenseBwdData& op, std::span<const Array> in) {
  const Array &dy = in[0], &w = in[1];
  const int64_t images = dy.shape.n, outputs = dy.shape.c, length = w.count() / outputs;
  Array dx = Array::inexact(op.input);
  for (int64_t n = 0; n < images; ++n)
    for (int64_t i = 0; i < length; ++i) {
      Sum sum;
      for (int64_t o = 0; o < outputs; ++o) sum.add(dy[n * outputs + o] * w[o * length + i]);
      set(dx, static_cast<size_t>(n * length + i), {sum.value, sum.error()});
    }
  return {dx};
}

std::vector<Array> reference(const DenseBwdWeights& op, std::span<const Array> in) {
  const Array &x = in[0], &dy = in[1];
  const int64_t images = dy.shape.n, outputs = dy.shape.c, length = x.count() / images;
  Array dw = Array::inexact(op.weights);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t i = 0; i < length; ++i) {
      Sum sum;
      for (int64_t n = 0; n < images; ++n) sum.add(x[n * length + i] * dy[n * outputs + o]);
      set(dw, static_cast<size_t>(o * length + i), {sum.value, sum.error()});
    }
  return {dw};
}

}  // namespace xf::test
