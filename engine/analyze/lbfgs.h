#pragma once
// Minimising a smooth function of many variables.

#include <functional>
#include <span>
#include <vector>

namespace xf {

/// The function's value at `x`; writes its gradient.
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

/// Minimises from `x` on, by L-BFGS with eight pairs and steps that satisfy Armijo's condition (Nocedal &
/// Wright 2006, 7.2), until no part of the gradient is larger than `tolerance` or after `iterations`.
std::vector<double> minimise(const SmoothFunction& f, std::vector<double> x, double tolerance,
                             int iterations);

}  // namespace xf
