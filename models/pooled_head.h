#pragma once
// The end that most networks share.

#include <string_view>

#include "engine/graph/net.h"

namespace xf {

/// The mean of the last map, named "pool" and "features", and the classifier `top` on it; no scores for zero
/// classes. In training `dropout` of the features are left out before the classifier.
ModelOutputs pooled_head(const Net& n, Value map, std::string_view top, int classes, float dropout = 0);

}  // namespace xf
