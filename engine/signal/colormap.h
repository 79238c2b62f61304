#pragma once
// From a number to a colour.

#include <array>
#include <cstdint>

namespace xf {

/// Viridis, the colour map of the published spectrograms: 0 is dark violet, 1 yellow, in 256 steps; values
/// outside are clamped. Its table is matplotlib's (Nathaniel Smith and Stéfan van der Walt, CC0).
std::array<uint8_t, 3> viridis(double value);

}  // namespace xf
