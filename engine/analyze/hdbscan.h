#pragma once
// HDBSCAN: clusters of any shape and density, and points that belong to none.

#include <cstdint>
#include <vector>

#include "engine/analyze/condensed_tree.h"
#include "engine/analyze/points.h"

namespace xf {

struct HdbscanOptions {
  int64_t min_cluster_size = 10;  ///< what is smaller is no cluster
  int64_t min_samples = 5;        ///< neighbours, the point itself among them, that make a region dense
};

struct Clustering {
  int32_t clusters = 0;              ///< numbered by falling size; ties: by their first point
  std::vector<int32_t> cluster;      ///< by point; -1: of none
  std::vector<float> probability;    ///< of its cluster, by point; 0: of none
  std::vector<float> outlier_score;  ///< GLOSH, by point: 0 (in the densest part) … 1
};

/// Campello, Moulavi & Sander 2013: the flat clustering of greatest excess of mass, the root left out, with
/// membership probabilities as McInnes & Healy define them and the outlier scores of Campello et al. 2015.
/// Agrees with scikit-learn's HDBSCAN but for the order of edges of equal weight. Throws UsageError for
/// options that the points cannot satisfy.
Clustering hdbscan(const Points& points, const HdbscanOptions& options);

/// The part of it that chooses clusters of the hierarchy.
Clustering excess_of_mass(const CondensedTree& tree);

}  // namespace xf
