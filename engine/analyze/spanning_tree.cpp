#include "engine/analyze/spanning_tree.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/analyze/distances.h"
#include "engine/core/threads.h"

namespace xf {

namespace {

/// Squared distance from each point to its `min_samples`-th nearest.
std::vector<float> squared_core_distances(const Points& points, int64_t min_samples) {
  const Neighbours near = nearest_neighbours(points, min_samples);
  std::vector<float> core(static_cast<size_t>(points.count));
  for (size_t i = 0; i < core.size(); ++i)
    core[i] = near.squared[(i + 1) * static_cast<size_t>(min_samples) - 1];
  return core;
}

/// The tree as it grows. Distances stay squared until the end.
class Prim {
 public:
  Prim(const Points& points, const std::vector<float>& core)
      : points_(points),
        core_(core),
        distances_(points),
        weight_(core.size(), std::numeric_limits<float>::infinity()),
        source_(core.size(), 0),
        in_tree_(core.size(), 0),
        nearest_(static_cast<size_t>(distances_.blocks())) {}

  std::vector<TreeEdge> run() {
    std::vector<TreeEdge> edges;
    for (int32_t current = 0; edges.size() + 1 < core_.size();) {
      in_tree_[static_cast<size_t>(current)] = 1;
      parallel_for(distances_.blocks(), [&](int64_t block) { relax(current, block); });
      int32_t next = -1;
      for (const int32_t j : nearest_)
        if (j >= 0 && (next < 0 || weight_[static_cast<size_t>(j)] < weight_[static_cast<size_t>(next)]))
          next = j;
      edges.push_back({source_[static_cast<size_t>(next)], next,
                       std::sqrt(static_cast<double>(weight_[static_cast<size_t>(next)]))});
      current = next;
    }
    return edges;
  }

 private:
  /// Lets the points of a block know that `current` is in the tree; notes the one that is nearest to it now.
  void relax(int32_t current, int64_t block) {
    std::array<float, Distances::kBlock>
        room;  // NOLINT(cppcoreguidelines-pro-type-member-init): written next
    const auto squared = std::span(room).first(static_cast<size_t>(distances_.size_of(block)));
    distances_.squared(points_.row(current), block, squared);
    const float core = core_[static_cast<size_t>(current)];
    const auto first = static_cast<size_t>(block * Distances::kBlock);
    int32_t best = -1;
    for (size_t j = first; j < first + squared.size(); ++j) {
      if (in_tree_[j] != 0) continue;
      const float w = std::max({squared[j - first], core, core_[j]});
      if (w < weight_[j]) {
        weight_[j] = w;
        source_[j] = current;
      }
      if (best < 0 || weight_[j] < weight_[static_cast<size_t>(best)]) best = static_cast<int32_t>(j);
    }
    nearest_[static_cast<size_t>(block)] = best;
  }

  const Points& points_;
  const std::vector<float>& core_;
  Distances distances_;
  std::vector<float> weight_;    // to the tree, of each point outside
  std::vector<int32_t> source_;  // the point of the tree that it is nearest to
  std::vector<uint8_t> in_tree_;
  std::vector<int32_t> nearest_;  // by block; -1: all of it is in the tree
};

}  // namespace

std::vector<TreeEdge> mutual_reachability_tree(const Points& points, int64_t min_samples) {
  const std::vector<float> core = squared_core_distances(points, min_samples);
  std::vector<TreeEdge> edges = Prim(points, core).run();
  std::stable_sort(edges.begin(), edges.end(),
                   [](const TreeEdge& x, const TreeEdge& y) { return x.weight < y.weight; });
  return edges;
}

}  // namespace xf
