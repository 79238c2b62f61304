#include "engine/analyze/tsne_affinities.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "engine/core/threads.h"

namespace xf {

namespace {

/// Conditional probabilities, as TsneAffinities keeps symmetric ones.
using Rows = TsneAffinities;

/// The least share of a row that is kept: those below are together no more than may be lost.
float least_share(std::span<const float> row) {
  constexpr double kLost = 1e-4;
  std::array<double, 256> of_exponent{};  // the shares of each binary order of magnitude
  for (const float p : row) of_exponent[std::bit_cast<uint32_t>(p) >> 23] += static_cast<double>(p);
  double lost = 0;
  uint32_t exponent = 0;
  while (lost + of_exponent[exponent] <= kLost) lost += of_exponent[exponent++];
  return std::bit_cast<float>(std::max(exponent << 23, 1U));  // 0 is never kept
}

/// Appends rows that were computed together.
void append(std::span<const float> p, int64_t rows, int64_t points, Rows& out) {
  const auto row_of = [&](int64_t r) {
    return p.subspan(static_cast<size_t>(r * points), static_cast<size_t>(points));
  };
  std::vector<float> least(static_cast<size_t>(rows));
  std::vector<int64_t> kept(static_cast<size_t>(rows));
  parallel_for(rows, [&](int64_t r) {
    const auto row = row_of(r);
    const float from = least_share(row);
    least[static_cast<size_t>(r)] = from;
    kept[static_cast<size_t>(r)] = std::count_if(row.begin(), row.end(), [&](float x) { return x >= from; });
  });
  const size_t first = out.begin.size() - 1;
  for (const int64_t count : kept) out.begin.push_back(out.begin.back() + count);
  out.other.resize(static_cast<size_t>(out.begin.back()));
  out.p.resize(out.other.size());
  parallel_for(rows, [&](int64_t r) {
    auto to = static_cast<size_t>(out.begin[first + static_cast<size_t>(r)]);
    const auto row = row_of(r);
    for (size_t j = 0; j < row.size(); ++j) {
      if (row[j] < least[static_cast<size_t>(r)]) continue;
      out.other[to] = static_cast<int32_t>(j);
      out.p[to++] = row[j];
    }
  });
}

Rows conditional_rows(TsneSimilarity& similarity, int64_t points, double perplexity, int64_t nearest) {
  constexpr int64_t kFloats = int64_t{1} << 24, kFewest = 64, kMost = 4096;  // at once
  const int64_t batch = std::min(points, std::clamp(kFloats / points, kFewest, kMost));
  std::vector<float> p(static_cast<size_t>(batch * points));
  Rows rows{{0}, {}, {}};
  for (int64_t first = 0; first < points; first += batch) {
    const int64_t count = std::min(batch, points - first);
    const std::span<float> here(p.data(), static_cast<size_t>(count * points));
    similarity.conditional(first, count, perplexity, nearest, here);
    append(here, count, points, rows);
  }
  return rows;
}

Rows transposed(const Rows& rows) {
  const int64_t points = rows.points();
  Rows t{std::vector<int64_t>(rows.begin.size()), std::vector<int32_t>(rows.other.size()),
         std::vector<float>(rows.p.size())};
  for (const int32_t j : rows.other) ++t.begin[static_cast<size_t>(j) + 1];
  for (size_t j = 1; j < t.begin.size(); ++j) t.begin[j] += t.begin[j - 1];
  std::vector<int64_t> next(t.begin.begin(), t.begin.end() - 1);
  for (int64_t i = 0; i < points; ++i)
    for (int64_t k = rows.begin[static_cast<size_t>(i)]; k < rows.begin[static_cast<size_t>(i) + 1]; ++k) {
      const auto to = static_cast<size_t>(next[static_cast<size_t>(rows.other[static_cast<size_t>(k)])]++);
      t.other[to] = static_cast<int32_t>(i);
      t.p[to] = rows.p[static_cast<size_t>(k)];
    }
  return t;
}

/// A row of either matrix, entry by entry.
struct Cursor {
  const Rows& rows;
  size_t at, end;
  Cursor(const Rows& r, int64_t i)
      : rows(r),
        at(static_cast<size_t>(r.begin[static_cast<size_t>(i)])),
        end(static_cast<size_t>(r.begin[static_cast<size_t>(i) + 1])) {}
  [[nodiscard]] int32_t other() const { return at < end ? rows.other[at] : INT32_MAX; }
};

/// Calls body(other, a + b) for all that row i has in one matrix or the other.
template <class Body>
void for_sums(const Rows& a, const Rows& b, int64_t i, Body body) {
  Cursor x(a, i), y(b, i);
  while (x.at < x.end || y.at < y.end) {
    const int32_t other = std::min(x.other(), y.other());
    float sum = 0;
    if (x.other() == other) sum += a.p[x.at++];
    if (y.other() == other) sum += b.p[y.at++];
    body(other, sum);
  }
}

}  // namespace

TsneAffinities tsne_affinities(TsneSimilarity& similarity, int64_t points, double perplexity,
                               int64_t nearest) {
  const Rows rows = conditional_rows(similarity, points, perplexity, nearest), columns = transposed(rows);
  TsneAffinities out{std::vector<int64_t>(rows.begin.size()), {}, {}};
  parallel_for(points, [&](int64_t i) {
    for_sums(rows, columns, i, [&](int32_t, float) { ++out.begin[static_cast<size_t>(i) + 1]; });
  });
  for (size_t i = 1; i < out.begin.size(); ++i) out.begin[i] += out.begin[i - 1];
  out.other.resize(static_cast<size_t>(out.begin.back()));
  out.p.resize(out.other.size());
  double sum = 0;
  for (const float p : rows.p) sum += 2 * static_cast<double>(p);
  const auto scale = static_cast<float>(1 / sum);
  parallel_for(points, [&](int64_t i) {
    auto to = static_cast<size_t>(out.begin[static_cast<size_t>(i)]);
    for_sums(rows, columns, i, [&](int32_t other, float p) {
      out.other[to] = other;
      out.p[to++] = scale * p;
    });
  });
  return out;
}

double kl_divergence(const TsneAffinities& affinities, std::span<const float> map, double normalisation) {
  const int64_t points = affinities.points();
  std::vector<double> of_point(static_cast<size_t>(points));
  parallel_for(points, [&](int64_t i) {
    double sum = 0;
    for (auto k = static_cast<size_t>(affinities.begin[static_cast<size_t>(i)]);
         k < static_cast<size_t>(affinities.begin[static_cast<size_t>(i) + 1]); ++k) {
      double square = 0;
      for (int64_t axis = 0; axis < kMapAxes; ++axis) {
        const double d = static_cast<double>(map[static_cast<size_t>(axis * points + i)]) -
                         map[static_cast<size_t>(axis * points + affinities.other[k])];
        square += d * d;
      }
      const double p = affinities.p[k];
      sum += p * std::log(p * normalisation * (1 + square));
    }
    of_point[static_cast<size_t>(i)] = sum;
  });
  double all = 0;
  for (const double sum : of_point) all += sum;
  return all;
}

}  // namespace xf
