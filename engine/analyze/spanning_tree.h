#pragma once
// The minimum spanning tree of mutual reachability, which is all that HDBSCAN needs of the distances.

#include <cstdint>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

/// An edge between two points.
struct TreeEdge {
  int32_t a = 0, b = 0;
  double weight = 0;
};

/// The count - 1 edges of the minimum spanning tree, where two points are as far apart as the largest of
/// their distance and their core distances (Campello, Moulavi & Sander 2013); ascending by weight. A point's
/// core distance reaches its `min_samples` nearest, itself among them, as scikit-learn counts. Prim's
/// algorithm: O(count²) distances, O(count) memory. Throws UsageError unless 1 <= min_samples <= count.
std::vector<TreeEdge> mutual_reachability_tree(const Points& points, int64_t min_samples);

}  // namespace xf
