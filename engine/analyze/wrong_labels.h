#pragma once
// Labels that their images do not bear out.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

struct LabelCheckOptions {
  int64_t neighbours = 15;
  int folds = 5;
  uint64_t seed = 0;
};

struct LabelCheck {
  /// By point, 0 … 1: the mean of the share of its nearest neighbours that have other labels, and of
  /// (1 + p(likeliest other class) - p(its own)) / 2 by a regression that never saw it. 0 for the only glitch
  /// of a class, which nothing can be said about.
  std::vector<float> score;
  std::vector<int32_t> proposed;  ///< by point: the class of the largest mean of both; its own where that is
  std::vector<int64_t> ranking;   ///< all points, the most suspect first; ties: the first point first
  int64_t wrong = 0;              ///< how many are, by the confident joint of Northcutt et al. 2021
};

/// Neighbourhoods are Euclidean, without images of the same group; out-of-fold probabilities come from
/// multinomial logistic regression on the principal axes, each scaled to unit variance, in folds by class and
/// group (the glitch: its images are never on both sides). Throws DataError unless two classes have two
/// groups or more.
LabelCheck check_labels(const Points& points, std::span<const int32_t> labels, int32_t classes,
                        std::span<const int32_t> groups, const LabelCheckOptions& options);

/// The fold (0 … folds-1) of each point, by group: each class's groups are dealt out in an order drawn from
/// the seed.
std::vector<int> folds_by_group(std::span<const int32_t> labels, int32_t classes,
                                std::span<const int32_t> groups, int folds, uint64_t seed);

}  // namespace xf
