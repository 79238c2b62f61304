#pragma once
// The hierarchy of clusters: which there are as the density threshold rises, and when each point leaves them.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/analyze/spanning_tree.h"

namespace xf {

/// Clusters are numbered from the root (0), a parent before its children. Density is 1 / distance.
struct CondensedTree {
  std::vector<int32_t> parent;  ///< by cluster; -1 for the root
  std::vector<double> birth;  ///< by cluster: the density at which it parts from its sibling; the root's is 0
  std::vector<int64_t> size;  ///< by cluster: points at its birth
  std::vector<int32_t> last_cluster;  ///< by point: the smallest cluster that it belongs to
  std::vector<double> left_at;        ///< by point: the density at which it leaves that one
};

/// Splits off nothing smaller than `min_cluster_size`: fewer points than that leave their cluster, which
/// lives on (Campello, Moulavi & Sander 2013, in McInnes & Healy's formulation of 2017). `edges` ascend by
/// weight. Points that coincide leave at a large finite density. Throws UsageError below 2.
CondensedTree condense(std::span<const TreeEdge> edges, int64_t min_cluster_size);

}  // namespace xf
