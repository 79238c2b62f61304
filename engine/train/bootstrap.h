#pragma once
// How far figures without a formula of their own would move on other images of the same kinds.

#include <cstdint>
#include <vector>

#include "engine/train/metrics.h"

namespace xf {

struct BootstrapIntervals {
  Interval macro_f1, ece;
};

/// 95 % intervals by the percentile bootstrap (B. Efron and R. Tibshirani, "An Introduction to the
/// Bootstrap", 1993, chapter 13): the figures of `resamples` sets of as many predictions, drawn with
/// replacement. The same arguments give the same intervals. Without predictions all are 0.
BootstrapIntervals bootstrap(const std::vector<Prediction>& predictions, size_t classes, int resamples = 1000,
                             uint64_t seed = 0);

/// A mean over runs with its 95 % interval by Student's t distribution, and the runs' standard deviation.
struct MeanOfRuns {
  double mean = 0, low = 0, high = 0, deviation = 0;
};

/// With one run there is no interval: it is the value itself, and the deviation 0. `values` is not empty.
MeanOfRuns mean_of_runs(const std::vector<double>& values);

}  // namespace xf
