#include "engine/analyze/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

namespace xf {

namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add(Vector& to, double factor, const Vector& what) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += factor * what[i];
}

double largest(const Vector& v) {
  double most = 0;
  for (const double x : v) most = std::max(most, std::abs(x));
  return most;
}

/// A step that was taken and how it changed the gradient.
struct Pair {
  Vector step, change;
  double curvature;  // their product, above 0
};

/// Minus the gradient through the inverse Hessian that the pairs suggest.
Vector direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector d = gradient;
  for (double& x : d) x = -x;
  std::vector<double> alpha(pairs.size());
  for (size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = dot(pairs[i].step, d) / pairs[i].curvature;
    add(d, -alpha[i], pairs[i].change);
  }
  const double scale = pairs.empty() ? 1 / std::max(1.0, std::sqrt(dot(gradient, gradient)))
                                     : pairs.back().curvature / dot(pairs.back().change, pairs.back().change);
  for (double& x : d) x *= scale;
  for (size_t i = 0; i < pairs.size(); ++i)
    add(d, alpha[i] - dot(pairs[i].change, d) / pairs[i].curvature, pairs[i].step);
  return d;
}

}  // namespace

std::vector<double> minimise(const SmoothFunction& f, std::vector<double> x, double tolerance,
                             int iterations) {
  constexpr size_t kPairs = 8;
  constexpr double kArmijo = 1e-4, kSmallestStep = 1e-10;
  Vector gradient(x.size()), next_gradient(x.size());
  double value = f(x, gradient);
  std::deque<Pair> pairs;
  for (int i = 0; i < iterations && largest(gradient) > tolerance; ++i) {
    const Vector d = direction(pairs, gradient);
    const double slope = dot(d, gradient);
    Vector next;
    double next_value = 0, step = 1;
    for (;; step /= 2) {
      if (step < kSmallestStep) return x;  // rounding is all that is left
      next = x;
      add(next, step, d);
      next_value = f(next, next_gradient);
      if (next_value <= value + kArmijo * step * slope) break;
    }
    Pair pair{next, next_gradient, 0};
    add(pair.step, -1, x);
    add(pair.change, -1, gradient);
    pair.curvature = dot(pair.step, pair.change);
    if (pair.curvature > 0) pairs.push_back(std::move(pair));
    if (pairs.size() > kPairs) pairs.pop_front();
    x = std::move(next);
    gradient.swap(next_gradient);
    value = next_value;
  }
  return x;
}

}  // namespace xf
