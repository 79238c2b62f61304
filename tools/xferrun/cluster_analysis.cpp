#include "tools/xferrun/cluster_analysis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "engine/analyze/onset.h"
#include "engine/analyze/principal_axes.h"
#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/hdf5.h"
#include "tools/xferrun/version.h"

namespace xf::tool {

namespace {

std::vector<int64_t> chosen_rows(const FeaturesFile& f, const std::string& within) {
  std::vector<int64_t> rows;
  if (within.empty()) {
    rows.resize(static_cast<size_t>(f.features.count));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  }
  if (f.labels.empty())
    throw DataError(f.path.string(), "has no /labels, which --within chooses by", "leave --within out");
  for (size_t i = 0; i < f.labels.size(); ++i)
    if (f.labels[i] == within) rows.push_back(static_cast<int64_t>(i));
  if (rows.empty())
    throw DataError(f.path.string(), fmt::format("has no images of class {}", within),
                    "name one of its classes in --within");
  return rows;
}

/// The classes of the rows, and by row the index of its own.
void number_labels(const FeaturesFile& f, ClusterAnalysis& a) {
  if (f.labels.empty()) return;
  for (const int64_t row : a.rows) a.classes.push_back(f.labels[static_cast<size_t>(row)]);
  std::sort(a.classes.begin(), a.classes.end());
  a.classes.erase(std::unique(a.classes.begin(), a.classes.end()), a.classes.end());
  for (const int64_t row : a.rows) {
    const auto it = std::lower_bound(a.classes.begin(), a.classes.end(), f.labels[static_cast<size_t>(row)]);
    a.labels.push_back(static_cast<int32_t>(it - a.classes.begin()));
  }
}

/// By row the number of its glitch; without ids each image is one.
std::vector<int32_t> number_glitches(const FeaturesFile& f, const std::vector<int64_t>& rows) {
  std::vector<int32_t> numbers;
  std::unordered_map<std::string, int32_t> known;
  for (const int64_t row : rows) {
    const std::string id = f.ids.empty() ? std::to_string(row) : f.ids[static_cast<size_t>(row)];
    numbers.push_back(known.emplace(id, static_cast<int32_t>(known.size())).first->second);
  }
  return numbers;
}

std::optional<LabelCheck> checked_labels(const FeaturesFile& f, const ClusterAnalysis& a,
                                         const Points& points, const LabelCheckOptions& options) {
  if (a.classes.size() < 2) return std::nullopt;
  try {
    return check_labels(points, a.labels, static_cast<int32_t>(a.classes.size()), number_glitches(f, a.rows),
                        options);
  } catch (const DataError& e) {
    log::warning("{}", e.what());
    return std::nullopt;
  }
}

std::vector<std::optional<double>> first_times(const FeaturesFile& f, const ClusterAnalysis& a) {
  std::vector<std::optional<double>> first(static_cast<size_t>(a.found.clusters));
  if (f.gps.empty()) return first;
  std::vector<std::vector<double>> times(first.size());
  for (size_t i = 0; i < a.rows.size(); ++i)
    if (const int32_t c = a.found.cluster[i]; c >= 0)
      times[static_cast<size_t>(c)].push_back(f.gps[static_cast<size_t>(a.rows[i])]);
  for (size_t c = 0; c < first.size(); ++c) first[c] = onset(times[c], f.gps);
  return first;
}

template <class T>
void write_list(hdf5::Writer& file, const std::string& name, const std::vector<T>& values) {
  const auto length = static_cast<int64_t>(values.size());
  file.dataset(name, std::span(&length, 1), std::span<const T>(values));
}

void write_label_check(hdf5::Writer& file, const ClusterAnalysis& a) {
  std::vector<int64_t> suspects;
  std::vector<float> scores;
  std::vector<std::string> proposed;
  for (const int64_t i : a.label_check->ranking) {
    const auto at = static_cast<size_t>(i);
    suspects.push_back(a.rows[at]);
    scores.push_back(a.label_check->score[at]);
    proposed.push_back(a.classes[static_cast<size_t>(a.label_check->proposed[at])]);
  }
  write_list(file, "/suspects", suspects);
  write_list(file, "/suspect_scores", scores);
  file.dataset("/suspect_proposals", std::span<const std::string>(proposed));
}

}  // namespace

ClusterAnalysis analyse_clusters(const FeaturesFile& f, const ClusterOptions& o) {
  ClusterAnalysis a;
  a.rows = chosen_rows(f, o.within);
  const auto images = static_cast<int64_t>(a.rows.size());
  if (images < o.hdbscan.min_cluster_size || images < o.hdbscan.min_samples || images < 2)
    throw DataError(
        f.path.string(),
        fmt::format("has {} image{} to look at, too few for clusters of {} with {} neighbours", images,
                    images == 1 ? "" : "s", o.hdbscan.min_cluster_size, o.hdbscan.min_samples),
        "lower --min-cluster-size and --min-samples, or make features of more images");
  number_labels(f, a);
  Points points = rows_of(f.features, a.rows);
  if (o.axes > 0 && points.dims > o.axes) points = principal_axes(points, o.axes).project(points);
  a.found = hdbscan(points, o.hdbscan);
  a.first_gps = first_times(f, a);
  a.label_check = checked_labels(f, a, points, o.labels);
  return a;
}

void write_clusters(const std::string& out, const FeaturesFile& f, const ClusterAnalysis& a) {
  hdf5::Writer file(out);
  write_list(file, "/rows", a.rows);
  write_list(file, "/labels_found", a.found.cluster);
  write_list(file, "/probabilities", a.found.probability);
  write_list(file, "/outlier_scores", a.found.outlier_score);
  std::vector<double> first;
  for (const auto& t : a.first_gps) first.push_back(t.value_or(std::numeric_limits<double>::quiet_NaN()));
  if (!f.gps.empty()) write_list(file, "/first_gps", first);
  if (a.label_check) write_label_check(file, a);
  file.attribute("/", kClustersWrittenBy, std::string_view(version_number()));
  file.commit();
}

}  // namespace xf::tool
