#pragma once
// Whether our implementation of an operation and cuDNN's computed the same.

#include <cstdint>
#include <span>
#include <string>

#include "engine/core/dtype.h"

namespace xf::bench {

/// What rounding may do to a number on the way to both results.
struct Allowed {
  double roundings = 0;  ///< to the type of the result, of both sides together …
  double partial = 0;  ///< … where numbers of this magnitude are among those rounded, if not the result's own
  double terms = 0;    ///< summed in f32 behind the result, in any order
  double largest = 0;  ///< magnitude of what the sum yields: (terms ^ 1/2) units of it may be lost, three
                       ///< deviations of a sum whose roundings are independent (Higham 2002, 4.2)
};

/// Names the first element that lies farther apart than allowed; empty where none does. Two NaN are the same.
/// `type` is the coarser of the results' types.
std::string difference(std::span<const float> ours, std::span<const float> theirs, DType type,
                       const Allowed& allowed);

}  // namespace xf::bench
