#pragma once
// How well groups that are known come apart.

#include <cstdint>
#include <span>

#include "engine/analyze/points.h"

namespace xf {

/// The probability that a positive has a higher score than a negative, ties counted half (the area under the
/// ROC curve; Mann & Whitney 1947). NaN where one of them is missing.
double auroc(std::span<const double> negatives, std::span<const double> positives);

/// The mean share, over all points, of the k nearest others that have the point's own label.
double neighbour_purity(const Points& points, std::span<const int32_t> labels, int64_t k);

/// The cluster that holds most of a class.
struct ClassCluster {
  int32_t cluster = -1;     ///< -1: no cluster holds any
  double purity = 0;        ///< which share of the cluster is of the class
  double completeness = 0;  ///< which share of the class is in it
};
/// `cluster` is -1 for points of none; ties: the lower cluster.
ClassCluster cluster_of_class(std::span<const int32_t> cluster, std::span<const int32_t> labels,
                              int32_t label);

}  // namespace xf
