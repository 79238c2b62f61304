#include "engine/analyze/tsne.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/analyze/barnes_hut.h"
#include "engine/analyze/principal_axes.h"
#include "engine/analyze/tsne_affinities.h"
#include "engine/core/error.h"
#include "engine/core/rng.h"

namespace xf {

namespace {

void check(const Points& points, const TsneOptions& o) {
  if (o.dimensions != 2 && o.dimensions != 3)
    throw UsageError("t-SNE", fmt::format("draws 2 or 3 dimensions, not {}", o.dimensions));
  if (o.iterations < 1) throw UsageError("t-SNE", "needs an iteration at least");
  if (points.count < kTsneFewestPoints)
    throw DataError("t-SNE",
                    fmt::format("needs {} points at least, got {}", kTsneFewestPoints, points.count));
  const double most = tsne_most_perplexity(points.count);
  if (!(o.perplexity >= 1 && o.perplexity <= most))
    throw UsageError("perplexity", fmt::format("must be between 1 and {:.6g} for {} points, not {:.6g}", most,
                                               points.count, o.perplexity));
  for (size_t i = 0; i < points.values.size(); ++i)
    if (!std::isfinite(points.values[i]))
      throw DataError("t-SNE", fmt::format("point {} has values that are not finite",
                                           static_cast<int64_t>(i) / points.dims));
}

/// The points with the largest number 1: their squared distances are finite, and t-SNE knows no scale.
Points unit_scaled(const Points& points) {
  float largest = 0;
  for (const float x : points.values) largest = std::max(largest, std::abs(x));
  if (largest == 0) return points;
  Points scaled = points;
  for (float& x : scaled.values) x /= largest;
  return scaled;
}

/// The start: principal axes as wide as the first iterations can unfold, and noise that parts equal points.
std::vector<float> first_map(const Points& points, const TsneOptions& o) {
  constexpr double kWidth = 1e-4, kNoise = 1e-6;  // standard deviations: along the first axis, and everywhere
  const PrincipalAxes axes = principal_axes(points, o.dimensions);
  const Points on_axes = axes.project(points);
  const double deviation = axes.variance.empty() ? 0 : std::sqrt(axes.variance.front());
  const double scale = deviation > 0 ? kWidth / deviation : 0;
  std::vector<float> map(static_cast<size_t>(kMapAxes * points.count));
  Rng rng(o.seed);
  for (int64_t axis = 0; axis < o.dimensions; ++axis)
    for (int64_t i = 0; i < points.count; ++i) {
      const double on_axis = axis < axes.count ? on_axes.row(i)[static_cast<size_t>(axis)] : 0;
      map[static_cast<size_t>(axis * points.count + i)] =
          static_cast<float>(scale * on_axis + kNoise * rng.normal());
    }
  return map;
}

/// Gradient descent with momentum, and for each coordinate a gain that grows while it goes one way.
class Descent {
 public:
  Descent(std::vector<float> map, double rate)
      : map_(std::move(map)), step_(map_.size()), gain_(map_.size(), 1.0F), rate_(static_cast<float>(rate)) {}

  [[nodiscard]] std::span<const float> map() const { return map_; }

  void follow(const TsneForces& f, float exaggeration, float momentum) {
    const auto repulsion = static_cast<float>(1 / f.normalisation);
    for (size_t k = 0; k < map_.size(); ++k) {
      const float gradient = 4 * (exaggeration * f.attraction[k] - repulsion * f.repulsion[k]);
      gain_[k] = std::max(kLeastGain, gradient * step_[k] < 0 ? gain_[k] + kMore : gain_[k] * kLess);
      step_[k] = momentum * step_[k] - rate_ * gain_[k] * gradient;
      map_[k] += step_[k];
    }
  }

 private:
  static constexpr float kMore = 0.2F, kLess = 0.8F, kLeastGain = 0.01F;  // as the authors' own code has them
  std::vector<float> map_, step_, gain_;
  float rate_;
};

/// (points, dimensions), centred.
std::vector<float> rows_of_map(std::span<const float> map, int64_t points, int64_t dimensions) {
  std::vector<float> rows(static_cast<size_t>(points * dimensions));
  for (int64_t axis = 0; axis < dimensions; ++axis) {
    const auto from = map.subspan(static_cast<size_t>(axis * points), static_cast<size_t>(points));
    double mean = 0;
    for (const float x : from) mean += static_cast<double>(x) / static_cast<double>(points);
    for (int64_t i = 0; i < points; ++i)
      rows[static_cast<size_t>(i * dimensions + axis)] =
          static_cast<float>(static_cast<double>(from[static_cast<size_t>(i)]) - mean);
  }
  return rows;
}

}  // namespace

double tsne_most_perplexity(int64_t points) { return static_cast<double>(points - 1) / 3; }

TsneMap tsne(const Points& points, const TsneOptions& o, TsneBackend& backend) {
  // Attraction is exaggerated at first, so that groups gather while they can still pass one another. The
  // numbers are those of the authors and, for the rate, of Belkina et al. (Nature Communications 2019).
  constexpr double kExaggeration = 12, kLeastRate = 50, kOpening = 0.5;
  constexpr int64_t kExaggerated = 250;
  check(points, o);
  const Points scaled = unit_scaled(points);
  const int64_t others = points.count - 1;
  const int64_t nearest = points.count <= o.most_exact
                              ? others
                              : std::min(others, static_cast<int64_t>(std::ceil(3 * o.perplexity)));
  const TsneAffinities affinities =
      tsne_affinities(*backend.similarity(scaled), points.count, o.perplexity, nearest);
  const bool exact = points.count <= std::max(o.most_exact, backend.most_exact_points());
  const std::unique_ptr<TsneForceField> field =
      exact ? backend.exact_forces(affinities) : barnes_hut_forces(affinities, kOpening);
  const double rate = std::max(static_cast<double>(points.count) / kExaggeration / 4, kLeastRate);
  Descent descent(first_map(scaled, o), rate);
  const int64_t exaggerated = std::min(kExaggerated, o.iterations / 4);
  TsneForces forces;
  for (int64_t i = 0; i < o.iterations; ++i) {
    const bool early = i < exaggerated;
    field->forces(descent.map(), forces);
    descent.follow(forces, early ? static_cast<float>(kExaggeration) : 1.0F, early ? 0.5F : 0.8F);
    if (o.progress && !o.progress(i + 1, o.iterations))
      throw StoppedError("t-SNE", fmt::format("was stopped after iteration {}", i + 1));
  }
  field->forces(descent.map(), forces);
  return {rows_of_map(descent.map(), points.count, o.dimensions),
          kl_divergence(affinities, descent.map(), forces.normalisation),
          exact ? TsneRepulsion::exact : TsneRepulsion::barnes_hut};
}

}  // namespace xf
