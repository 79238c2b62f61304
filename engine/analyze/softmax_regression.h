#pragma once
// Multinomial logistic regression: class probabilities as a linear map of the features has them.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

struct SoftmaxRegression {
  int64_t dims = 0, classes = 0;
  std::vector<double> weights;  ///< (dims + 1, classes): the last row is added to every score

  /// (points, classes).
  [[nodiscard]] Points probabilities(const Points& points) const;
};

/// Minimises the summed cross-entropy plus half the squared weights (the added row left out), as
/// scikit-learn's LogisticRegression does with C = 1, by L-BFGS. `labels` are 0 … classes-1. The same bits at
/// any number of threads.
SoftmaxRegression fit_softmax_regression(const Points& points, std::span<const int32_t> labels,
                                         int64_t classes);

}  // namespace xf
