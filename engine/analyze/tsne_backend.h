#pragma once
// The seam between t-SNE and the devices: what takes time in it. Affinities of all pairs of points come
// first, once; then, at every iteration, the forces between all pairs of points of the map.
//
// A map is three rows of N coordinates, x then y then z; in a plane all z are 0, and no force has a z.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

constexpr int64_t kMapAxes = 3;

/// Symmetric affinities p of N points, those that are not negligible, row after row: point i is akin to the
/// points other[begin[i]] … other[begin[i + 1] - 1], in ascending order. The sum of all p is 1.
struct TsneAffinities {
  std::vector<int64_t> begin;  ///< N + 1
  std::vector<int32_t> other;
  std::vector<float> p;

  [[nodiscard]] int64_t points() const { return static_cast<int64_t>(begin.size()) - 1; }
};

/// Of one map, with w = 1 / (1 + |y_i - y_j|²) (van der Maaten & Hinton 2008): the gradient of the
/// Kullback-Leibler divergence is 4 (attraction - repulsion / normalisation).
struct TsneForces {
  std::vector<float> attraction;  ///< as a map: Σ_j p_ij w_ij (y_i - y_j)
  std::vector<float> repulsion;   ///< as a map: Σ_j w_ij² (y_i - y_j)
  double normalisation = 0;       ///< Σ w_ij over all ordered pairs of different points
};

/// Which points are akin to which, of points that are on the device.
class TsneSimilarity {
 public:
  virtual ~TsneSimilarity() = default;
  /// p(j|i), with i the points [first, first + count) row by row and j all of them: proportional to
  /// exp(-b_i |x_i - x_j|²) for the `nearest` points to x_i, and 0 beyond them and for j = i. b_i gives the
  /// row the entropy log(perplexity), to 1e-4 of its neighbours' number; where more points than that lie
  /// equally near, they share alike. A row's sum is 1.
  virtual void conditional(int64_t first, int64_t count, double perplexity, int64_t nearest,
                           std::span<float> p) = 0;
};

/// The forces between the points of maps, for affinities that it was made with.
class TsneForceField {
 public:
  virtual ~TsneForceField() = default;
  virtual void forces(std::span<const float> map, TsneForces& out) = 0;
};

/// A device. The bits of results do not depend on the number of threads.
class TsneBackend {
 public:
  virtual ~TsneBackend() = default;
  /// Reads the points here and keeps no reference. Their squared distances must be finite in f32.
  virtual std::unique_ptr<TsneSimilarity> similarity(const Points& points) = 0;
  /// All pairs, without approximation. The affinities must outlive it.
  virtual std::unique_ptr<TsneForceField> exact_forces(const TsneAffinities& affinities) = 0;
  /// From how many points on a tree is faster than all pairs.
  [[nodiscard]] virtual int64_t most_exact_points() const = 0;
};

}  // namespace xf
