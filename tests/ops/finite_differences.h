#pragma once
// Gradient rules against finite differences, both evaluated in fp64: what is tested is the rule, not a
// kernel.

#include <map>
#include <span>
#include <string>

#include "engine/graph/graph.h"
#include "tests/ops/reference/array.h"

namespace xf::test {

/// Compares gradients(y, wrt) with central differences of sum(seed * y), for a random seed, at the numbers
/// that `sources` gives to the graph's sources. `wrt` are sources; at most 24 elements of each are tried.
/// Returns what is wrong, or nothing.
///
/// With D(h) = (L(x + h) - L(x - h)) / 2h, D(2h) - D(h) is three times the truncation error of D(h) to
/// leading order, and the rounding of L leaves ε S / h, S being the sum of the magnitudes in L times the
/// roundings in each (under 1000 here). An element is right when it differs from D(h) by no more than these
/// two. Where D(2h) and D(h) differ by more than a thousandth, the function has a kink there and the element
/// says nothing; more than one in four of those is an error.
std::string check_gradients(const Value& y, std::span<const Value> wrt, std::map<Value, Array> sources);

}  // namespace xf::test
