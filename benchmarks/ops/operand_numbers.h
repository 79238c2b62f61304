#pragma once
// The numbers that an operation is measured with.

#include <cstddef>
#include <vector>

#include "engine/graph/graph.h"

namespace xf::bench {

/// What input `i` of the node holds; nothing for zeros. Activations and weights are between -1 and 1,
/// per-channel vectors around 1. Two exceptions, so that rounding never decides what another implementation
/// of the operation does:
/// - no number of a pool's input comes twice in a window: each has one maximum;
/// - a batch normalisation's results keep off zero, where the rectifier bends: its input is of magnitude 1 to
///   2, beta at most 0.2, the residual -4, 0 or 4.
std::vector<std::byte> operand_numbers(const Node& node, size_t i);

}  // namespace xf::bench
