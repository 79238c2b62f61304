// One number in, one number out; and what only moves numbers.

#include "engine/core/rng.h"
#include "tests/ops/reference/reference.h"

namespace xf::test {

std::vector<Array> reference(const Normalize& op, std::span<const Array> in) {
  const Array& x = in[0];
  Array y = Array::inexact({x.shape.n, x.shape.h, x.shape.w, op.channels});
  for (int64_t r = 0; r < x.shape.rows(); ++r)
    for (int64_t c = 0; c < x.shape.c; ++c) {
      const int64_t source = op.order == ChannelOrder::bgr ? x.shape.c - 1 - c : c;
      const auto k = static_cast<size_t>(c);
      set(y, static_cast<size_t>(r * op.channels + c),
          Bounded(x[r * x.shape.c + source]) * Bounded(op.scale[k]) + Bounded(op.shift[k]));
    }
  return {y};
}

// The rounding to the new type is what the comparison does with every result.
std::vector<Array> reference(const Cast& /*op*/, std::span<const Array> in) { return {in[0]}; }

std::vector<Array> reference(const Bias& /*op*/, std::span<const Array> in) {
  const Array &x = in[0], &bias = in[1];
  Array y = Array::inexact(x.shape);
  for (size_t i = 0; i < y.value.size(); ++i)
    set(y, i, Bounded(x.value[i]) + Bounded(bias[static_cast<int64_t>(i) % x.shape.c]));
  return {y};
}

std::vector<Array> reference(const BiasGrad& /*op*/, std::span<const Array> in) {
  const Array& dy = in[0];
  Array db = Array::inexact(vector_shape(dy.shape.c));
  for (int64_t c = 0; c < dy.shape.c; ++c) {
    Sum sum;
    for (int64_t r = 0; r < dy.shape.rows(); ++r) sum.add(dy[r * dy.shape.c + c]);
    set(db, static_cast<size_t>(c), {sum.value, sum.error(0)});
  }
  return {db};
}

std::vector<Array> reference(const Act& op, std::span<const Array> in) {
  Array y = in[0];
  if (op.act == Activation::relu)
    for (double& v : y.value) v = std::max(v, 0.0);
  return {y};
}

std::vector<Array> reference(const ActBwd& op, std::span<const Array> in) {
  Array dx = in[0];
  if (op.act == Activation::relu)
    for (size_t i = 0; i < dx.value.size(); ++i)
      if (in[1].value[i] <= 0) dx.value[i] = 0;
  return {dx};
}

std::vector<Array> reference(const Add& /*op*/, std::span<const Array> in) {
  Array y = Array::inexact(in[0].shape);
  for (size_t i = 0; i < y.value.size(); ++i) {
    Bounded sum(in[0].value[i]);
    for (const Array& a : in.subspan(1)) sum = sum + Bounded(a.value[i]);  // the order is part of the meaning
    set(y, i, sum);
  }
  return {y};
}

std::vector<Array> reference(const Concat& /*op*/, std::span<const Array> in) {
  Shape shape = in[0].shape;
  shape.c = 0;
  for (const Array& a : in) shape.c += a.shape.c;
  Array y(shape);
  int64_t begin = 0;
  for (const Array& a : in) {
    for (int64_t r = 0; r < shape.rows(); ++r)
      for (int64_t c = 0; c < a.shape.c; ++c)
        y.value[static_cast<size_t>(r * shape.c + begin + c)] = a[r * a.shape.c + c];
    begin += a.shape.c;
  }
  return {y};
}

std::vector<Array> reference(const Slice& op, std::span<const Array> in) {
  const Array& x = in[0];
  Array y({x.shape.n, x.shape.h, x.shape.w, op.channels});
  for (int64_t r = 0; r < x.shape.rows(); ++r)
    for (int64_t c = 0; c < op.channels; ++c)
      y.value[static_cast<size_t>(r * op.channels + c)] = x[r * x.shape.c + op.begin + c];
  return {y};
}

std::vector<Array> reference(const Dropout& op, std::span<const Array> in) {
  const StepParams step = step_params(in[0]);
  const Array& x = in[1];
  Array y = Array::inexact(x.shape);
  const uint64_t high = (uint64_t{op.stream} << 32) | step.counter;
  const size_t before =
      static_cast<size_t>(step.first_image) * y.value.size() / static_cast<size_t>(x.shape.n);
  for (size_t i = 0; i < y.value.size(); ++i) {
    const size_t of_all = before + i;
    const float u = unit_float(philox(step.seed, high, of_all / 4).v[of_all % 4]);
    if (u >= op.rate) set(y, i, Bounded(x.value[i]) * (Bounded(1) / (Bounded(1) - Bounded(op.rate))));
  }
  return {y};
}

}  // namespace xf::test
