#pragma once
// t-SNE in double precision, pair by pair.

#include <span>
#include <vector>

#include "engine/analyze/tsne_backend.h"

namespace xf::test {

/// Clusters of normal deviates around centres that are `apart` times as far from each other as their points
/// are; point i belongs to cluster i % clusters.
Points clusters(int64_t count, int64_t dims, int64_t clusters, double apart, uint64_t seed);

/// A conditional distribution, and what its rounding depends on.
struct RowReference {
  std::vector<double> p, square;  ///< of every other point: the share, and the squared distance
  double b, mean, variance;       ///< of exp(-b d): b, and the moments of d
};
RowReference conditional_reference(const Points& points, int64_t i, double perplexity, int64_t nearest);

/// As TsneForces, and the sums of the magnitudes of what was summed.
struct ForcesReference {
  std::vector<double> attraction, repulsion, attraction_size, repulsion_size;
  double normalisation;
};
ForcesReference forces_reference(const TsneAffinities& affinities, std::span<const double> map);

/// Σ p log(p / q).
double divergence_reference(const TsneAffinities& affinities, std::span<const double> map);

}  // namespace xf::test
