#pragma once
// Everything that `cluster` finds out about a features file.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/analyze/features_file.h"
#include "engine/analyze/hdbscan.h"
#include "engine/analyze/wrong_labels.h"

namespace xf::tool {

struct ClusterOptions {
  HdbscanOptions hdbscan;
  LabelCheckOptions labels;
  int64_t axes =
      50;  ///< principal axes that the features are reduced to where they have more; 0: they are not
  std::string within;  ///< the class whose images alone are looked at; empty: all
};

struct ClusterAnalysis {
  std::vector<int64_t> rows;  ///< of the features file that were looked at; everything below counts these
  std::vector<std::string> classes;  ///< sorted; empty where the file has no labels
  std::vector<int32_t> labels;       ///< index into `classes`
  Clustering found;
  std::vector<std::optional<double>> first_gps;  ///< by cluster
  std::optional<LabelCheck> label_check;         ///< none with fewer than two classes that can be checked
};

/// Throws DataError for a class that is not there or has a single image, and UsageError for options that the
/// images cannot satisfy.
ClusterAnalysis analyse_clusters(const FeaturesFile& features, const ClusterOptions& options);

/// Writes the HDF5 file that `cluster --help` describes. Throws WriteError.
void write_clusters(const std::string& out, const FeaturesFile& features, const ClusterAnalysis& analysis);

nlohmann::ordered_json clusters_json(const FeaturesFile& features, const ClusterAnalysis& analysis);
/// The same for people.
std::string clusters_table(const FeaturesFile& features, const ClusterAnalysis& analysis);

/// The root attribute of every file that write_clusters() made.
inline constexpr const char* kClustersWrittenBy = "xferrun_clusters";

}  // namespace xf::tool
