#include "engine/analyze/principal_axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/core/rng.h"
#include "engine/core/threads.h"

namespace xf {

namespace {

/// A matrix by rows.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix(int64_t r, int64_t c) : rows(r), columns(c), values(static_cast<size_t>(r * c)) {}
  double* row(int64_t r) { return values.data() + r * columns; }
  [[nodiscard]] const double* row(int64_t r) const { return values.data() + r * columns; }
};

std::vector<float> mean_of(const Points& points) {
  std::vector<double> sum(static_cast<size_t>(points.dims));
  for (int64_t i = 0; i < points.count; ++i)
    for (int64_t d = 0; d < points.dims; ++d)
      sum[static_cast<size_t>(d)] += points.row(i)[static_cast<size_t>(d)];
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double s : sum) mean.push_back(static_cast<float>(s / static_cast<double>(points.count)));
  return mean;
}

/// (points - mean) * directions, which are (dims, columns).
Matrix coordinates(const Points& points, const std::vector<float>& mean, const Matrix& directions) {
  Matrix result(points.count, directions.columns);
  parallel_for(points.count, [&](int64_t i) {
    double* out = result.row(i);
    const auto x = points.row(i);
    for (int64_t d = 0; d < points.dims; ++d) {
      const double centred = x[static_cast<size_t>(d)] - mean[static_cast<size_t>(d)];
      const double* w = directions.row(d);
      for (int64_t c = 0; c < directions.columns; ++c) out[c] += centred * w[c];
    }
  });
  return result;
}

/// The transpose of (points - mean), times `z` (points, columns).
Matrix back(const Points& points, const std::vector<float>& mean, const Matrix& z) {
  Matrix result(points.dims, z.columns);
  constexpr int64_t kDims = 32;  // their sums stay in the cache while the points pass
  parallel_for((points.dims + kDims - 1) / kDims, [&](int64_t group) {
    const int64_t last = std::min(points.dims, (group + 1) * kDims);
    for (int64_t i = 0; i < points.count; ++i)
      for (int64_t d = group * kDims; d < last; ++d) {
        const double centred = points.row(i)[static_cast<size_t>(d)] - mean[static_cast<size_t>(d)];
        double* out = result.row(d);
        const double* from = z.row(i);
        for (int64_t c = 0; c < z.columns; ++c) out[c] += centred * from[c];
      }
  });
  return result;
}

/// Gram–Schmidt over columns, twice. A column that depends on those before it becomes zero.
void orthonormalise(Matrix& m) {
  const auto dot = [&](int64_t a, int64_t b) {
    double sum = 0;
    for (int64_t r = 0; r < m.rows; ++r) sum += m.row(r)[a] * m.row(r)[b];
    return sum;
  };
  for (int64_t c = 0; c < m.columns; ++c) {
    const double before = std::sqrt(dot(c, c));
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t earlier = 0; earlier < c; ++earlier) {
        const double along = dot(earlier, c);
        for (int64_t r = 0; r < m.rows; ++r) m.row(r)[c] -= along * m.row(r)[earlier];
      }
    constexpr double kNothing = 1e-12;  // of its length: rounding alone is left
    const double length = std::sqrt(dot(c, c));
    const double scale = length > kNothing * before ? 1 / length : 0;
    for (int64_t r = 0; r < m.rows; ++r) m.row(r)[c] *= scale;
  }
}

/// Cyclic Jacobi rotations: makes the symmetric `a` diagonal and returns its eigenvectors as columns.
Matrix diagonalise(Matrix& a) {
  const int64_t n = a.rows;
  Matrix v(n, n);
  for (int64_t i = 0; i < n; ++i) v.row(i)[i] = 1;
  for (int sweep = 0; sweep < 30; ++sweep) {
    double off = 0, all = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const double square = a.row(i)[j] * a.row(i)[j];
        all += square;
        if (i != j) off += square;
      }
    if (off <= 1e-28 * all) break;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        if (a.row(p)[q] == 0) continue;
        const double theta = (a.row(q)[q] - a.row(p)[p]) / (2 * a.row(p)[q]);
        const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::hypot(1, theta));
        const double c = 1 / std::hypot(1, t), s = c * t;
        for (int64_t k = 0; k < n; ++k) {
          const double kp = a.row(k)[p], kq = a.row(k)[q];
          a.row(k)[p] = c * kp - s * kq;
          a.row(k)[q] = s * kp + c * kq;
        }
        for (int64_t k = 0; k < n; ++k) {
          const double pk = a.row(p)[k], qk = a.row(q)[k];
          a.row(p)[k] = c * pk - s * qk;
          a.row(q)[k] = s * pk + c * qk;
        }
        for (int64_t k = 0; k < n; ++k) {
          const double kp = v.row(k)[p], kq = v.row(k)[q];
          v.row(k)[p] = c * kp - s * kq;
          v.row(k)[q] = s * kp + c * kq;
        }
      }
  }
  return v;
}

Matrix covariance(const Matrix& z) {
  Matrix s(z.columns, z.columns);
  for (int64_t i = 0; i < z.rows; ++i)
    for (int64_t a = 0; a < z.columns; ++a)
      for (int64_t b = 0; b < z.columns; ++b) s.row(a)[b] += z.row(i)[a] * z.row(i)[b];
  for (double& x : s.values) x /= static_cast<double>(std::max<int64_t>(1, z.rows - 1));
  return s;
}

/// An orthonormal basis, as columns, of the space that holds most of the variance.
Matrix leading_space(const Points& points, const std::vector<float>& mean, int64_t columns) {
  Matrix basis(points.dims, columns);
  if (columns == points.dims) {
    for (int64_t d = 0; d < columns; ++d) basis.row(d)[d] = 1;
    return basis;
  }
  Rng rng(0);
  for (double& x : basis.values) x = rng.normal();
  constexpr int kRounds = 6;
  for (int round = 0; round < kRounds; ++round) {
    orthonormalise(basis);
    basis = back(points, mean, coordinates(points, mean, basis));
  }
  orthonormalise(basis);
  return basis;
}

}  // namespace

Points PrincipalAxes::project(const Points& points) const {
  Points result{points.count, count, std::vector<float>(static_cast<size_t>(points.count * count))};
  parallel_for(points.count, [&](int64_t i) {
    const auto x = points.row(i);
    for (int64_t a = 0; a < count; ++a) {
      double sum = 0;
      for (int64_t d = 0; d < dims; ++d)
        sum += static_cast<double>(x[static_cast<size_t>(d)] - mean[static_cast<size_t>(d)]) *
               axes[static_cast<size_t>(a * dims + d)];
      result.values[static_cast<size_t>(i * count + a)] = static_cast<float>(sum);
    }
  });
  return result;
}

PrincipalAxes principal_axes(const Points& points, int64_t count) {
  constexpr int64_t kSpare = 10;
  const int64_t most = std::min(points.dims, points.count);
  PrincipalAxes r{points.dims, std::min(count, most), mean_of(points), {}, {}};
  const Matrix basis = leading_space(points, r.mean, std::min(r.count + kSpare, most));
  Matrix s = covariance(coordinates(points, r.mean, basis));
  const Matrix turn = diagonalise(s);
  std::vector<int64_t> order(static_cast<size_t>(s.rows));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return s.row(a)[a] > s.row(b)[b]; });
  r.axes.resize(static_cast<size_t>(r.count * r.dims));
  for (int64_t a = 0; a < r.count; ++a) {
    const int64_t column = order[static_cast<size_t>(a)];
    r.variance.push_back(std::max(0.0, s.row(column)[column]));
    for (int64_t d = 0; d < r.dims; ++d) {
      double sum = 0;
      for (int64_t b = 0; b < basis.columns; ++b) sum += basis.row(d)[b] * turn.row(b)[column];
      r.axes[static_cast<size_t>(a * r.dims + d)] = static_cast<float>(sum);
    }
  }
  return r;
}

}  // namespace xf
