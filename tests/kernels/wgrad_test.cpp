// Our own weight gradients: every way they walk over a batch (one long row, rows of one image, several images
// at a time, strides, windows beyond the border), at channel counts that fill no vector.

#include <doctest/doctest.h>

#include <cmath>

#include "engine/core/threads.h"
#include "kernels/cpu/instructions.h"
#include "kernels/cpu/wgrad.h"
#include "tests/kernels/kernel_run.h"

namespace xf {
namespace {

struct Case {
  Shape x;
  int64_t outputs;
  Conv2d op;
};

double number(const Tensor& t, int64_t i) {
  const auto at = static_cast<size_t>(i);
  return t.dtype() == DType::bf16 ? static_cast<float>(t.as<bfloat16>()[at]) : t.as<float>()[at];
}

/// The definition: dw[o][r][s][i] = Σ dy[n][h][w][o] x[n][h * stride + r - pad][w * stride + s - pad][i], and
/// the same sum of magnitudes.
struct Reference {
  std::vector<double> sum, magnitude;
  Reference(const Case& c, const Tensor& x, const Tensor& dy) {
    const Shape &in = x.shape(), &out = dy.shape();
    const Shape w{out.c, c.op.kernel_h, c.op.kernel_w, in.c};
    sum.resize(static_cast<size_t>(w.count()));
    magnitude.resize(sum.size());
    for (int64_t position = 0; position < out.rows(); ++position)
      for (int64_t r = 0; r < w.h; ++r)
        for (int64_t s = 0; s < w.w; ++s) {
          const int64_t h = position / out.w % out.h * c.op.stride_h + r - c.op.pad.top;
          const int64_t v = position % out.w * c.op.stride_w + s - c.op.pad.left;
          if (h < 0 || h >= in.h || v < 0 || v >= in.w) continue;
          const int64_t pixel = (position / (out.w * out.h) * in.h + h) * in.w + v;
          for (int64_t o = 0; o < w.n; ++o)
            for (int64_t i = 0; i < w.c; ++i) {
              const double product = number(dy, position * out.c + o) * number(x, pixel * in.c + i);
              const auto at = static_cast<size_t>(((o * w.h + r) * w.w + s) * w.c + i);
              sum[at] += product;
              magnitude[at] += std::abs(product);
            }
        }
  }
};

}  // namespace

TEST_CASE("our weight gradients agree with the definition, on any number of threads") {
  const int before = threads();
  const Case cases[] = {
      {{3, 9, 11, 17}, 33, {3, 3, 1, 1, {1, 1, 1, 1}}},  // several images in a chunk
      {{2, 40, 31, 16}, 7, {3, 3, 1, 1, {1, 1, 1, 1}}},  // rows of one image in a chunk
      {{5, 9, 9, 20}, 13, {7, 1, 1, 1, {3, 3, 0, 0}}},   // one long row; an odd number of positions
      {{2, 8, 10, 20}, 33, {1, 7, 1, 1, {0, 0, 3, 3}}},
      {{2, 15, 12, 70}, 64, {3, 3, 2, 2, {}}},
      {{2, 12, 13, 30}, 20, {3, 2, 2, 1, {1, 0, 0, 1}}},
      {{1, 19, 17, 16}, 9, {1, 1, 3, 3, {}}},          // a stride beyond the window
      {{2, 5, 5, 16}, 6, {5, 5, 1, 1, {4, 4, 4, 4}}},  // taps that meet a corner alone
      {{1, 2, 2, 16}, 5, {7, 7, 1, 1, {3, 3, 3, 3}}},  // taps that meet nothing
      {{1, 1, 1, 3}, 1, {1, 1, 1, 1, {}}},
  };
  for (const DType type : {DType::f32, DType::bf16}) {
    if (type == DType::f32 ? !cpu::has_avx512() : !cpu::has_bf16()) continue;
    for (const Case& c : cases) {
      Graph g;
      const Value x = g.input("x", {c.x, type});
      const Value w = g.param("w", {c.outputs, c.op.kernel_h, c.op.kernel_w, c.x.c}, {});
      const Value y = g.add(c.op, {x, w});
      Tensor tx = test::random_tensor(x.spec(), 1), tdy = test::random_tensor(y.spec(), 2);
      const Reference expected(c, tx, tdy);
      Tensor first;
      for (const int count : {1, 2, 7}) {
        set_threads(count);
        const auto kernel = cpu::wgrad::make_kernel(c.op, x.shape(), y.shape(), type);
        REQUIRE(kernel);
        Tensor dw(w.shape());
        const std::vector<Ref> operands{test::ref_to(tx), test::ref_to(tdy), test::ref_to(dw)};
        test::run_kernel(*kernel, operands);
        // A sum of n products in f32: n u Σ|product| bounds the error of any order.
        const double unit = static_cast<double>(y.shape().rows()) * 0x1p-24;
        for (size_t i = 0; i < expected.sum.size(); ++i)
          if (std::abs(dw.as<float>()[i] - expected.sum[i]) > unit * expected.magnitude[i]) {
            CAPTURE(to_string(c.x));
            CAPTURE(i);
            CHECK(dw.as<float>()[i] == doctest::Approx(expected.sum[i]));
            break;
          }
        if (first.empty()) first = dw.clone();
        CHECK(std::memcmp(first.data(), dw.data(), dw.bytes()) == 0);
      }
    }
  }
  set_threads(before);
}

}  // namespace xf
