#pragma once
// predict --strain: from strain to a class without files between.

#include <optional>
#include <string>
#include <vector>

#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

struct StrainOptions {
  std::string file;         ///< --strain
  std::vector<double> gps;  ///< --gps
  std::string duration;     ///< --duration; empty: 1.0, or those of the view
};

/// Throws UsageError for a duration that is not drawn.
void check_duration(const std::string& text);

/// Prints a JSON line for each GPS time: the class of the picture that qscan draws of it. In a view, pictures
/// become what the public training set has of them, as those of its PNG release do. Throws UsageError for a
/// duration beside a view.
void predict_strain(Session& session, const LoadedModel& model, const View& view,
                    const std::optional<OutOfClass>& reference, const StrainOptions& options);

}  // namespace xf::tool
