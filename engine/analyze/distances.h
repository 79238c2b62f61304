#pragma once
// Euclidean distances between many points: blocked, on all cores, never all N² of them in memory.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

/// Squared distances from any point of a set to its points, a block at a time.
class Distances {
 public:
  static constexpr int64_t kBlock = 512;  ///< points whose distances stay in the first cache

  explicit Distances(const Points& points);
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] int64_t blocks() const { return (count_ + kBlock - 1) / kBlock; }
  /// The squared distances from `point` (dims numbers) to the points kBlock * block onwards, as many as `out`
  /// (at most kBlock) has room for. The same bits for the same two points, whoever is asked first.
  void squared(std::span<const float> point, int64_t block, std::span<float> out) const;
  /// How many points the block has.
  [[nodiscard]] int64_t size_of(int64_t block) const;

 private:
  int64_t count_, dims_;
  std::vector<float> columns_;  // (dims, count): the inner loop runs over points, which needs no reordering
};

/// The nearest k points of each of many.
struct Neighbours {
  int64_t k = 0;
  std::vector<int32_t> index;  ///< (points, k), nearest first; ties: the lower index first
  std::vector<float> squared;  ///< (points, k): squared distances

  [[nodiscard]] std::span<const int32_t> of(int64_t i) const {
    return {index.data() + i * k, static_cast<size_t>(k)};
  }
};

/// Among the points themselves; each has itself (distance 0) among its neighbours. Throws UsageError unless
/// 1 <= k <= points.
Neighbours nearest_neighbours(const Points& points, int64_t k);
/// Of each query among `points`, which have as many dims.
Neighbours nearest_neighbours(const Points& queries, const Points& points, int64_t k);

}  // namespace xf
