#pragma once
// The report's glitches, each a point: what is known of them, and the groups that they form.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/analyze/features_file.h"
#include "engine/analyze/tsne.h"
#include "tools/xferrun/cluster_analysis.h"

namespace xf::tool {

struct ReportPoints {
  FeaturesFile features;                  ///< with logits; labels are of `features.classes`
  std::optional<TsneMap> map;             ///< none where the points are too few
  std::optional<ClusterAnalysis> groups;  ///< likewise
};

/// The index of each image's label, and of its likeliest class with the probability.
std::vector<int32_t> labels_of(const FeaturesFile& features);
struct Likeliest {
  int32_t label;
  double probability;
};
std::vector<Likeliest> likeliest(const FeaturesFile& features);

/// What the report's scripts read: {points}, and, where there are groups, {suspects, outliers, clusters}. A
/// list in `points` has an entry an image.
nlohmann::json to_json(const ReportPoints& p);

}  // namespace xf::tool
