#pragma once
// What a network of the registry is made of.

#include <string_view>
#include <vector>

#include "models/dialect.h"
#include "weights/layers.h"

namespace xf::weights {

/// Parameters and states in creation order; without the last layer's for zero classes. Throws UsageError for
/// a network that is not in the registry.
std::vector<NamedShape> model_tensors(std::string_view network, const Dialect& dialect, int classes);

}  // namespace xf::weights
