// What is particular to the CPU's convolutions and dense layers; their arithmetic is tested with every
// backend's.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/core/threads.h"
#include "kernels/cpu/instructions.h"
#include "tests/kernels/kernel_run.h"
#include "tests/kernels/network_convs.h"

namespace xf {
namespace {

/// A convolution with its gradients.
struct Convolution {
  Graph graph;
  Value x, w, y, dy, dx, dw;
  Convolution(Shape in, int64_t outputs, const Conv2d& op, DType type) {
    x = graph.input("x", {in, type});
    w = graph.param("w", {outputs, op.kernel_h, op.kernel_w, in.c}, {});
    y = graph.add(op, {x, w});
    dy = graph.input("dy", y.spec());
    dx = graph.add(ConvBwdData{op, in}, {dy, w});
    dw = graph.add(ConvBwdWeights{op, w.shape()}, {x, dy});
  }
};

bool can_compute(DType type) { return type == DType::f32 || cpu::has_bf16(); }

template <class... Tensors>
Tensor run(const Value& v, Determinism determinism, Tensors... tensors) {
  std::vector<Tensor> inputs;
  (inputs.push_back(std::move(tensors)), ...);
  return test::run_node(test::lower_value(v, determinism), std::move(inputs));
}

Tensor filled(const Value& v, uint64_t seed) { return test::random_tensor(v.spec(), seed); }

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

/// Restores the number of threads.
struct Threads {
  int before = threads();
  ~Threads() { set_threads(before); }
};

}  // namespace

TEST_CASE("no convolution of InceptionV3 or ResNet50 falls to a reference implementation") {
  for (const test::NetworkConv& c : test::network_convs())
    for (const int64_t batch : {1, 2, 16})
      for (const DType type : {DType::f32, DType::bf16}) {
        if (!can_compute(type)) continue;
        Shape in = c.input;
        in.n = batch;
        const Convolution conv(in, c.outputs, c.op, type);
        for (const Value& v : {conv.y, conv.dx, conv.dw}) {
          const std::string impl = test::lower_value(v).kernel->impl();
          CAPTURE(c.name);
          CAPTURE(batch);
          CAPTURE(impl);
          CHECK(impl.find("ref") == std::string::npos);
        }
      }
}

TEST_CASE("with any_threads, convolutions do not depend on the number of threads") {
  const Threads restore;
  struct Case {
    Shape in;
    int64_t outputs;
    Conv2d op;
  };
  const Case cases[] = {
      {{32, 9, 9, 24}, 40, {3, 3, 1, 1, {1, 1, 1, 1}}},  // two accumulators of two parts each
      {{48, 8, 8, 32}, 48, {1, 1, 1, 1, {}}},            // six parts, so four accumulators
      {{16, 15, 15, 16}, 32, {3, 3, 2, 2, {}}},
      {{3, 17, 17, 32}, 32, {1, 7, 1, 1, {0, 0, 3, 3}}},  // one part
  };
  for (const DType type : {DType::f32, DType::bf16}) {
    if (!can_compute(type)) continue;
    for (const Case& c : cases) {
      const Convolution conv(c.in, c.outputs, c.op, type);
      const auto all = [&](int count) {
        set_threads(count);
        std::vector<Tensor> r;
        r.push_back(run(conv.y, Determinism::any_threads, filled(conv.x, 1), filled(conv.w, 2)));
        r.push_back(run(conv.dx, Determinism::any_threads, filled(conv.dy, 3), filled(conv.w, 2)));
        r.push_back(run(conv.dw, Determinism::any_threads, filled(conv.x, 1), filled(conv.dy, 3)));
        return r;
      };
      const std::vector<Tensor> one = all(1), two = all(2), three = all(3);
      for (size_t i = 0; i < one.size(); ++i) {
        CHECK(same_bits(one[i], two[i]));
        CHECK(same_bits(one[i], three[i]));
      }
    }
  }
}

TEST_CASE("with any_threads, dense layers do not depend on the number of threads") {
  const Threads restore;
  for (const DType type : {DType::f32, DType::bf16}) {
    if (!can_compute(type)) continue;
    Graph g;
    const Value x = g.input("x", {{32, 1, 1, 200}, type});
    const Value w = g.param("w", {27, 1, 1, 200}, {});
    const Value y = g.add(Dense{}, {x, w});
    const Value dy = g.input("dy", y.spec());
    const Value dx = g.add(DenseBwdData{x.shape()}, {dy, w});
    const Value dw = g.add(DenseBwdWeights{w.shape()}, {x, dy});
    const auto all = [&](int count) {
      set_threads(count);
      std::vector<Tensor> r;
      r.push_back(run(y, Determinism::any_threads, filled(x, 1), filled(w, 2)));
      r.push_back(run(dx, Determinism::any_threads, filled(dy, 3), filled(w, 2)));
      r.push_back(run(dw, Determinism::any_threads, filled(x, 1), filled(dy, 3)));
      return r;
    };
    const std::vector<Tensor> one = all(1), two = all(2);
    for (size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
  }
}

TEST_CASE("a residual is added before the activation, in its own memory or not") {
  Graph g;
  const Conv2d op{3, 3, 1, 1, {1, 1, 1, 1}, Activation::relu};
  const Value x = g.input("x", {{2, 6, 6, 16}, DType::f32});
  const Value w = g.param("w", {32, 3, 3, 16}, {});
  const Value b = g.param("b", vector_shape(32), {});
  Conv2d linear = op;
  linear.act = Activation::none;
  const Value plain = g.add(linear, {x, w});
  const Value r = g.input("r", plain.spec());
  const Value fused = g.add(op, {x, w, b, r});
  CHECK_FALSE(test::lower_value(plain).kernel->in_place(0, 3));
  CHECK(test::lower_value(fused).kernel->in_place(0, 3));

  Tensor bias = filled(b, 3), residual = filled(r, 4);
  Tensor y = run(plain, Determinism::fixed_threads, filled(x, 1), filled(w, 2));
  Tensor z =
      run(fused, Determinism::fixed_threads, filled(x, 1), filled(w, 2), bias.clone(), residual.clone());
  Tensor in_place = residual.clone();
  const test::Lowered lowered = test::lower_value(fused);
  Tensor data = filled(x, 1), weights = test::packed(filled(w, 2), lowered.kernel->wants(1));
  const Ref shared = test::ref_to(in_place);
  const std::vector<Ref> operands{test::ref_to(data), test::ref_to(weights), test::ref_to(bias), shared,
                                  shared};
  test::run_kernel(*lowered.kernel, operands);
  CHECK(same_bits(z, in_place));

  // Both sums of 9 * 16 products, a bias and a residual may be taken in any order: n u S, with S the largest
  // sum of magnitudes there can be.
  const float largest = 6;  // of any operand
  const float tolerance = (9 * 16 + 2) * 0x1p-24F * (9 * 16 * largest * largest + 2 * largest);
  for (size_t i = 0; i < y.as<float>().size(); ++i) {
    const float expected =
        std::max(0.0F, y.as<float>()[i] + bias.as<float>()[i % 32] + residual.as<float>()[i]);
    CHECK(std::abs(z.as<float>()[i] - expected) <= tolerance);
  }
}

TEST_CASE("a convolution writes rows with gaps and leaves the gaps alone") {
  const Threads restore;
  for (const DType type : {DType::f32, DType::bf16})
    for (const Determinism determinism : {Determinism::fixed_threads, Determinism::any_threads}) {
      if (!can_compute(type)) continue;
      set_threads(2);
      Graph g;
      const Value x = g.input("x", {{6, 20, 20, 16}, type});
      const Value w = g.param("w", {24, 3, 3, 16}, {});
      const Value b = g.param("b", vector_shape(24), {});
      const Value y = g.add(Conv2d{3, 3, 1, 1, {1, 1, 1, 1}, Activation::relu}, {x, w, b});
      const test::Lowered lowered = test::lower_value(y, determinism);
      REQUIRE(lowered.kernel->strided(3));
      CHECK_FALSE(lowered.kernel->strided(0));
      Tensor bias = filled(b, 3), data = filled(x, 1), dense(y.shape(), type), wide({6, 20, 20, 40}, type);
      Tensor weights = test::packed(filled(w, 2), lowered.kernel->wants(1));
      std::vector<Ref> operands{test::ref_to(data), test::ref_to(weights), test::ref_to(bias),
                                test::ref_to(dense)};
      test::run_kernel(*lowered.kernel, operands);
      std::fill_n(wide.data(), wide.bytes(), std::byte{0x5a});
      constexpr size_t kFirst = 10;  // the slice's first channel
      const size_t size = size_of(type), gap = 40 * size, row = 24 * size;
      operands[3] = {wide.data() + kFirst * size, y.spec(), 40};
      test::run_kernel(*lowered.kernel, operands);
      for (size_t r = 0; r < static_cast<size_t>(y.shape().rows()); ++r) {
        const std::byte* begin = wide.data() + r * gap;
        CHECK(std::memcmp(begin + kFirst * size, dense.data() + r * row, row) == 0);
        CHECK(std::all_of(begin, begin + kFirst * size, [](std::byte v) { return v == std::byte{0x5a}; }));
        CHECK(std::all_of(begin + kFirst * size + row, begin + gap,
                          [](std::byte v) { return v == std::byte{0x5a}; }));
      }
    }
}

}  // namespace xf
