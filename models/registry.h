#pragma once
// Every network by its name on the command line.

#include <string>
#include <string_view>
#include <vector>

#include "engine/graph/net.h"
#include "models/dialect.h"

namespace xf {

struct ModelInfo {
  std::string_view name;
  Family family;         ///< whose definition it is when no weight file says
  std::string_view top;  ///< the layer that gives the class scores: "fc"
  ModelOutputs (*build)(const Net& n, Value x, const Dialect& dialect, int classes);
};

/// Throws UsageError listing the names.
const ModelInfo& find_model(std::string_view name);
std::vector<std::string_view> model_names();

/// What a dialect says about every layer.
NetOptions net_options(const Dialect& dialect);

/// The definition of `model` by `family`. Throws UsageError when that family does not have it.
Dialect family_dialect(Family family, std::string_view model);

}  // namespace xf
