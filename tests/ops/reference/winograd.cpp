#include "tests/ops/reference/winograd.h"

#include <array>

namespace xf::test::winograd {
namespace {

// |Aᵀ|, |Bᵀ| and |G| of Lavin & Gray 2015 (arXiv 1509.09308), and the transposes that are needed.
using Matrix = std::vector<std::vector<double>>;
const Matrix kAT{{1, 1, 1, 1, 1, 0}, {0, 1, 1, 2, 2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, 1, 8, 8, 1}};
const Matrix kBT{{4, 0, 5, 0, 1, 0}, {0, 4, 4, 1, 1, 0}, {0, 4, 4, 1, 1, 0},
                 {0, 2, 1, 2, 1, 0}, {0, 2, 1, 2, 1, 0}, {0, 4, 0, 5, 0, 1}};
const Matrix kG{{1. / 4, 0, 0},
                {1. / 6, 1. / 6, 1. / 6},
                {1. / 6, 1. / 6, 1. / 6},
                {1. / 24, 1. / 12, 1. / 6},
                {1. / 24, 1. / 12, 1. / 6},
                {0, 0, 1}};

Matrix transposed(const Matrix& m) {
  Matrix t(m[0].size(), std::vector<double>(m.size()));
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t j = 0; j < m[0].size(); ++j) t[j][i] = m[i][j];
  return t;
}

/// m v mᵀ.
Matrix both(const Matrix& m, const Matrix& v) {
  Matrix r(m.size(), std::vector<double>(m.size()));
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t j = 0; j < m.size(); ++j)
      for (size_t k = 0; k < v.size(); ++k)
        for (size_t l = 0; l < v.size(); ++l) r[i][j] += m[i][k] * v[k][l] * m[j][l];
  return r;
}

/// sum += a ⊙ b.
void add_product(Matrix& sum, const Matrix& a, const Matrix& b) {
  for (size_t i = 0; i < sum.size(); ++i)
    for (size_t j = 0; j < sum.size(); ++j) sum[i][j] += a[i][j] * b[i][j];
}

Matrix zeros(size_t size) { return Matrix(size, std::vector<double>(size)); }

/// The magnitudes of a square of one channel's positions, zeros outside.
Matrix square(const Array& a, int64_t image, int64_t row, int64_t column, int64_t channel, size_t size) {
  Matrix m = zeros(size);
  for (size_t i = 0; i < size; ++i)
    for (size_t j = 0; j < size; ++j) {
      const int64_t h = row + static_cast<int64_t>(i), w = column + static_cast<int64_t>(j);
      if (h >= 0 && h < a.shape.h && w >= 0 && w < a.shape.w) m[i][j] = std::abs(a(image, h, w, channel));
    }
  return m;
}

/// Calls body(image, first row, first column) for every tile of an output.
template <class Body>
void for_tiles(const Shape& y, Body body) {
  for (int64_t n = 0; n < y.n; ++n)
    for (int64_t h = 0; h < y.h; h += 4)
      for (int64_t w = 0; w < y.w; w += 4) body(n, h, w);
}

/// Roundings that a number passes through besides those of the sum over channels or tiles.
constexpr double kTransforms = 20;

/// Of the convolution of x, `top` and `left` zeros before it, with windows window(out, in).
template <class Window>
std::vector<double> convolution_error(const Array& x, int64_t top, int64_t left, const Shape& y,
                                      Window window) {
  Array error(y);
  std::vector<Matrix> weights;
  for (int64_t o = 0; o < y.c; ++o)
    for (int64_t i = 0; i < x.shape.c; ++i) weights.push_back(both(kG, window(o, i)));
  const double unit = chain(static_cast<double>(x.shape.c) + kTransforms);
  for_tiles(y, [&](int64_t n, int64_t h, int64_t w) {
    std::vector<Matrix> inputs;
    for (int64_t i = 0; i < x.shape.c; ++i)
      inputs.push_back(both(kBT, square(x, n, h - top, w - left, i, 6)));
    for (int64_t o = 0; o < y.c; ++o) {
      Matrix sum = zeros(6);
      for (size_t i = 0; i < inputs.size(); ++i)
        add_product(sum, inputs[i], weights[static_cast<size_t>(o) * inputs.size() + i]);
      const Matrix magnitude = both(kAT, sum);
      for (int64_t r = 0; r < 4 && h + r < y.h; ++r)
        for (int64_t s = 0; s < 4 && w + s < y.w; ++s)
          error.value[error.at(n, h + r, w + s, o)] =
              unit * magnitude[static_cast<size_t>(r)][static_cast<size_t>(s)];
    }
  });
  return error.value;
}

}  // namespace

bool may_compute(const Conv2d& op, const Shape& x, const Shape& y) {
  return op.kernel_h == 3 && op.kernel_w == 3 && op.stride_h == 1 && op.stride_w == 1 && x.c % 16 == 0 &&
         y.c % 16 == 0;
}

std::vector<double> output_error(const Conv2d& op, const Array& x, const Array& w, const Shape& y) {
  return convolution_error(x, op.pad.top, op.pad.left, y,
                           [&](int64_t o, int64_t i) { return square(w, o, 0, 0, i, 3); });
}

std::vector<double> input_gradient_error(const Conv2d& op, const Array& dy, const Array& w, const Shape& x) {
  return convolution_error(dy, 2 - op.pad.top, 2 - op.pad.left, x, [&](int64_t o, int64_t i) {
    const Matrix m = square(w, i, 0, 0, o, 3);
    Matrix turned = m;
    for (size_t r = 0; r < 3; ++r)
      for (size_t s = 0; s < 3; ++s) turned[r][s] = m[2 - r][2 - s];
    return turned;
  });
}

std::vector<double> weight_gradient_error(const Conv2d& op, const Array& x, const Array& dy, const Shape& w) {
  const Matrix a = transposed(kAT), gt = transposed(kG);
  std::vector<Matrix> sums(static_cast<size_t>(w.n * w.c), zeros(6));
  double tiles = 0;
  for_tiles(dy.shape, [&](int64_t n, int64_t h, int64_t v) {
    ++tiles;
    std::vector<Matrix> inputs;
    for (int64_t i = 0; i < w.c; ++i)
      inputs.push_back(both(kBT, square(x, n, h - op.pad.top, v - op.pad.left, i, 6)));
    for (int64_t o = 0; o < w.n; ++o) {
      const Matrix outputs = both(a, square(dy, n, h, v, o, 4));
      for (int64_t i = 0; i < w.c; ++i)
        add_product(sums[static_cast<size_t>(o * w.c + i)], inputs[static_cast<size_t>(i)], outputs);
    }
  });
  Array error(w);
  for (int64_t o = 0; o < w.n; ++o)
    for (int64_t i = 0; i < w.c; ++i) {
      const Matrix magnitude = both(gt, sums[static_cast<size_t>(o * w.c + i)]);
      for (int64_t r = 0; r < 3; ++r)
        for (int64_t s = 0; s < 3; ++s)
          error.value[error.at(o, r, s, i)] =
              chain(tiles + kTransforms) * magnitude[static_cast<size_t>(r)][static_cast<size_t>(s)];
    }
  return error.value;
}

}  // namespace xf::test::winograd
