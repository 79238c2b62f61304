#include "tests/ops/op_case.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "engine/core/error.h"
#include "tests/ops/reference/reference.h"

namespace xf::test {

Fill normal(double mean, double deviation) {
  return [=](int64_t, Rng& rng) { return mean + deviation * rng.normal(); };
}
Fill uniform(double low, double high) {
  return [=](int64_t, Rng& rng) { return rng.uniform(low, high); };
}
Fill any_of(std::vector<double> values) {
  return [v = std::move(values)](int64_t, Rng& rng) { return v[rng.below(v.size())]; };
}
Fill below(int64_t n) {
  return [=](int64_t, Rng& rng) { return static_cast<double>(rng.below(static_cast<uint64_t>(n))); };
}
Fill numbers(Array values) {
  return [a = std::move(values)](int64_t i, Rng&) { return a[i]; };
}
Fill step(const StepParams& params) { return numbers(to_array(params)); }

Operand activation(Shape shape, Fill fill) {
  return {{shape, DType::f32}, std::move(fill), Role::activation};
}
Operand weights(Shape shape, Fill fill) { return {{shape, DType::f32}, std::move(fill), Role::weights}; }
Operand fixed(Shape shape, Fill fill, DType dtype) { return {{shape, dtype}, std::move(fill), Role::fixed}; }
Operand per_channel(int64_t channels, Fill fill) { return fixed(vector_shape(channels), std::move(fill)); }
Operand absent() { return {}; }
Operand step_operand(const StepParams& params) {
  return fixed(vector_shape(sizeof(StepParams)), step(params), DType::u8);
}

OpCase with_gradients(OpCase c, std::vector<int> inputs) {
  c.differentiable = std::move(inputs);
  return c;
}

OpCase in_type(DType dtype, OpCase c) {
  c.type = dtype;
  c.differentiable.clear();
  for (Operand& o : c.in) {
    if (o.role == Role::activation) o.spec.dtype = dtype;
    if (o.role == Role::weights) o.computed_in = dtype;
  }
  if (auto* normalize = std::get_if<Normalize>(&c.op)) normalize->to = dtype;
  if (auto* pool = std::get_if<GlobalAvgPoolBwd>(&c.op)) pool->to = dtype;
  return c;
}

std::vector<OpCase> in_each_type(const std::vector<OpCase>& cases) {
  std::vector<OpCase> all;
  for (const OpCase& c : cases) {
    all.push_back(c);
    all.back().name += " f32";
    for (const DType dtype : {DType::bf16, DType::f16}) {
      all.push_back(in_type(dtype, c));
      all.back().name += fmt::format(" {}", name(dtype));
    }
  }
  return all;
}

double rounded_to(DType dtype, double v) {
  switch (dtype) {
    case DType::f32: return static_cast<float>(v);
    case DType::bf16: return static_cast<float>(bfloat16(static_cast<float>(v)));
    case DType::f16: return static_cast<float>(float16(static_cast<float>(v)));
    case DType::u8:
    case DType::i32: return std::nearbyint(v);
  }
  return v;
}

std::vector<Array> generate(const OpCase& c) {
  std::vector<Array> in;
  for (const Operand& o : c.in) {
    Array a;
    if (o.fill) {
      a = Array(o.spec.shape);
      Rng rng(20190412, in.size());
      for (int64_t i = 0; i < a.count(); ++i)
        a.value[static_cast<size_t>(i)] = rounded_to(o.spec.dtype, o.fill(i, rng));
    }
    in.push_back(std::move(a));
  }
  return in;
}

std::vector<Array> as_computed(const OpCase& c, std::vector<Array> in) {
  for (size_t i = 0; i < in.size(); ++i)
    if (c.in[i].role == Role::weights)
      for (double& v : in[i].value) v = rounded_to(c.in[i].computed_in, v);
  return in;
}

}  // namespace xf::test
