#pragma once
// A run as one page: how good it is, where it errs, what the network sees, and the map of its glitches.

#include <optional>
#include <string>

#include "engine/analyze/features_file.h"
#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

struct ReportRequest {
  ExistingRun run;
  Dataset data;                          ///< that the run was made with
  std::optional<FeaturesFile> features;  ///< of this data by this run; otherwise the network is asked
  std::string device = "auto";           ///< of the map's t-SNE
  int64_t batch = 16;
};

/// HTML that needs nothing beside it. Throws DataError for data, features or an evaluation that are not this
/// run's.
std::string run_report(Session& session, ReportRequest request);

}  // namespace xf::tool
