#include "tests/ops/reference/tsne.h"

#include <algorithm>
#include <cmath>

#include "engine/core/rng.h"

namespace xf::test {

namespace {

/// A row's shares for one b; returns the entropy.
double fill(RowReference& r, double largest_square, double b) {
  double nearest = INFINITY, sum = 0;
  for (const double d : r.square) nearest = std::min(nearest, d);
  for (size_t j = 0; j < r.square.size(); ++j) {
    r.p[j] = r.square[j] <= largest_square ? std::exp(b * (nearest - r.square[j])) : 0;
    sum += r.p[j];
  }
  double entropy = 0;
  r.b = b;
  r.mean = r.variance = 0;
  for (size_t j = 0; j < r.square.size(); ++j) {
    r.p[j] /= sum;
    if (r.p[j] > 0) entropy -= r.p[j] * std::log(r.p[j]), r.mean += r.p[j] * r.square[j];
  }
  for (size_t j = 0; j < r.square.size(); ++j)
    if (r.p[j] > 0) r.variance += r.p[j] * (r.square[j] - r.mean) * (r.square[j] - r.mean);
  return entropy;
}

/// Calls body(i, j, w, difference along each axis) for all ordered pairs.
template <class Body>
void for_pairs(int64_t points, std::span<const double> map, Body body) {
  for (int64_t i = 0; i < points; ++i)
    for (int64_t j = 0; j < points; ++j) {
      if (i == j) continue;
      double difference[kMapAxes], square = 0;
      for (int64_t a = 0; a < kMapAxes; ++a) {
        difference[a] = map[static_cast<size_t>(a * points + i)] - map[static_cast<size_t>(a * points + j)];
        square += difference[a] * difference[a];
      }
      body(i, j, 1 / (1 + square), difference);
    }
}

std::vector<double> dense(const TsneAffinities& affinities) {
  const int64_t points = affinities.points();
  std::vector<double> p(static_cast<size_t>(points * points));
  for (int64_t i = 0; i < points; ++i)
    for (int64_t k = affinities.begin[static_cast<size_t>(i)];
         k < affinities.begin[static_cast<size_t>(i) + 1]; ++k)
      p[static_cast<size_t>(i * points + affinities.other[static_cast<size_t>(k)])] =
          affinities.p[static_cast<size_t>(k)];
  return p;
}

}  // namespace

Points clusters(int64_t count, int64_t dims, int64_t clusters, double apart, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> centres(static_cast<size_t>(clusters * dims));
  for (double& x : centres) x = apart * rng.normal();
  Points points{count, dims, {}};
  for (int64_t i = 0; i < count; ++i)
    for (int64_t d = 0; d < dims; ++d)
      points.values.push_back(
          static_cast<float>(centres[static_cast<size_t>(i % clusters * dims + d)] + rng.normal()));
  return points;
}

RowReference conditional_reference(const Points& points, int64_t i, double perplexity, int64_t nearest) {
  RowReference r{std::vector<double>(static_cast<size_t>(points.count)), {}, 0, 0, 0};
  for (int64_t j = 0; j < points.count; ++j) {
    double square = 0;
    for (int64_t d = 0; d < points.dims; ++d) {
      const double difference = static_cast<double>(points.row(i)[static_cast<size_t>(d)]) -
                                static_cast<double>(points.row(j)[static_cast<size_t>(d)]);
      square += difference * difference;
    }
    r.square.push_back(i == j ? INFINITY : square);
  }
  std::vector<double> sorted = r.square;
  std::sort(sorted.begin(), sorted.end());
  const double largest = sorted[static_cast<size_t>(std::min(nearest, points.count - 1) - 1)];
  double low = 0, high = 1;
  while (fill(r, largest, high) > std::log(perplexity) && high < 1e30) high *= 2;
  for (int step = 0; step < 200; ++step)
    (fill(r, largest, (low + high) / 2) > std::log(perplexity) ? low : high) = (low + high) / 2;
  return r;
}

ForcesReference forces_reference(const TsneAffinities& affinities, std::span<const double> map) {
  const int64_t points = affinities.points();
  const std::vector<double> p = dense(affinities), none(map.size());
  ForcesReference f{none, none, none, none, 0};
  for_pairs(points, map, [&](int64_t i, int64_t j, double w, const double* difference) {
    f.normalisation += w;
    const double pull = p[static_cast<size_t>(i * points + j)] * w, push = w * w;
    for (int64_t a = 0; a < kMapAxes; ++a) {
      const auto k = static_cast<size_t>(a * points + i);
      f.attraction[k] += pull * difference[a];
      f.repulsion[k] += push * difference[a];
      f.attraction_size[k] += std::abs(pull * difference[a]);
      f.repulsion_size[k] += std::abs(push * difference[a]);
    }
  });
  return f;
}

double divergence_reference(const TsneAffinities& affinities, std::span<const double> map) {
  const int64_t points = affinities.points();
  const std::vector<double> p = dense(affinities);
  double normalisation = 0, divergence = 0;
  for_pairs(points, map, [&](int64_t, int64_t, double w, const double*) { normalisation += w; });
  for_pairs(points, map, [&](int64_t i, int64_t j, double w, const double*) {
    const double share = p[static_cast<size_t>(i * points + j)];
    if (share > 0) divergence += share * std::log(share * normalisation / w);
  });
  return divergence;
}

}  // namespace xf::test
