#include "engine/analyze/softmax_regression.h"

#include <algorithm>
#include <cmath>

#include "engine/analyze/lbfgs.h"
#include "engine/core/threads.h"

namespace xf {

namespace {

/// Turns scores into probabilities and returns the log of their sum before.
double softmax(std::span<double> scores) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& s : scores) sum += s = std::exp(s - most);
  for (double& s : scores) s /= sum;
  return most + std::log(sum);
}

void scores_of(std::span<const float> x, std::span<const double> weights, std::span<double> scores) {
  const size_t classes = scores.size();
  const double* w = weights.data() + x.size() * classes;
  std::copy(w, w + classes, scores.begin());
  for (size_t d = 0; d < x.size(); ++d) {
    w = weights.data() + d * classes;
    for (size_t c = 0; c < classes; ++c) scores[c] += static_cast<double>(x[d]) * w[c];
  }
}

/// Cross-entropy of some rows, and its gradient.
struct Part {
  double loss = 0;
  std::vector<double> gradient;
};

Part part_of(const Points& points, std::span<const int32_t> labels, std::span<const double> weights,
             size_t classes, int64_t first, int64_t last) {
  Part part{0, std::vector<double>(weights.size())};
  std::vector<double> p(classes);
  for (int64_t i = first; i < last; ++i) {
    const auto x = points.row(i);
    const auto label = static_cast<size_t>(labels[static_cast<size_t>(i)]);
    scores_of(x, weights, p);
    const double own = p[label];
    part.loss += softmax(p) - own;
    p[label] -= 1;
    for (size_t d = 0; d <= x.size(); ++d) {
      const double value = d < x.size() ? x[d] : 1;
      double* g = part.gradient.data() + d * classes;
      for (size_t c = 0; c < classes; ++c) g[c] += value * p[c];
    }
  }
  return part;
}

}  // namespace

Points SoftmaxRegression::probabilities(const Points& points) const {
  Points result{points.count, classes, std::vector<float>(static_cast<size_t>(points.count * classes))};
  parallel_for(points.count, [&](int64_t i) {
    std::vector<double> p(static_cast<size_t>(classes));
    scores_of(points.row(i), weights, p);
    softmax(p);
    std::copy(p.begin(), p.end(), result.values.begin() + i * classes);
  });
  return result;
}

SoftmaxRegression fit_softmax_regression(const Points& points, std::span<const int32_t> labels,
                                         int64_t classes) {
  constexpr int64_t kRows = 256;  // summed apart and then in order, whatever the threads
  const int64_t parts = (points.count + kRows - 1) / kRows;
  const auto regularised = static_cast<size_t>(points.dims * classes);
  const SmoothFunction loss = [&](std::span<const double> weights, std::span<double> gradient) {
    std::vector<Part> sums(static_cast<size_t>(parts));
    parallel_for(parts, [&](int64_t k) {
      sums[static_cast<size_t>(k)] = part_of(points, labels, weights, static_cast<size_t>(classes), k * kRows,
                                             std::min(points.count, (k + 1) * kRows));
    });
    double value = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (size_t w = 0; w < regularised; ++w) {
      value += weights[w] * weights[w] / 2;
      gradient[w] = weights[w];
    }
    for (const Part& part : sums) {
      value += part.loss;
      for (size_t w = 0; w < gradient.size(); ++w) gradient[w] += part.gradient[w];
    }
    return value;
  };
  constexpr double kTolerance = 1e-6;  // of a gradient that sums over all points
  constexpr int kIterations = 200;
  return {points.dims, classes,
          minimise(loss, std::vector<double>(static_cast<size_t>((points.dims + 1) * classes)),
                   kTolerance * static_cast<double>(points.count), kIterations)};
}

}  // namespace xf
