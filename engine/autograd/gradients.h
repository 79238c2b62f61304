#pragma once
// Reverse-mode differentiation as graph → graph: the backward pass is recorded behind the forward one.

#include <span>
#include <vector>

#include "engine/graph/graph.h"

namespace xf {

/// The gradient of sum(seed * y) with respect to each of `wrt`: parameters, or any map of the graph. `seed`
/// has the shape of y; without one it is all ones. A value that y does not depend on gets an empty Value.
/// Frozen branches cost nothing. Throws InternalError for an operation that has no gradient.
std::vector<Value> gradients(Value y, std::span<const Value> wrt, Value seed = {});

}  // namespace xf
