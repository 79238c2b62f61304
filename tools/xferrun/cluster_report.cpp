#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/analyze/separation.h"
#include "tools/xferrun/cluster_analysis.h"

namespace xf::tool {

namespace {

/// What an image is called: its name in the data set, its glitch, or its row.
std::string name_of(const FeaturesFile& f, int64_t row) {
  const auto at = static_cast<size_t>(row);
  if (!f.paths.empty()) return f.paths[at];
  return f.ids.empty() ? fmt::format("row {}", row) : f.ids[at];
}

struct ClusterSummary {
  int64_t images = 0;
  double probability = 0;                               // mean
  std::vector<std::pair<int64_t, std::string>> labels;  // images of each class, most first
};

std::vector<ClusterSummary> summaries(const ClusterAnalysis& a) {
  std::vector<ClusterSummary> all(static_cast<size_t>(a.found.clusters));
  std::vector<std::map<int32_t, int64_t>> of_class(all.size());
  for (size_t i = 0; i < a.rows.size(); ++i) {
    if (a.found.cluster[i] < 0) continue;
    const auto c = static_cast<size_t>(a.found.cluster[i]);
    ++all[c].images;
    all[c].probability += a.found.probability[i];
    if (!a.labels.empty()) ++of_class[c][a.labels[i]];
  }
  for (size_t c = 0; c < all.size(); ++c) {
    all[c].probability /= static_cast<double>(all[c].images);
    for (const auto& [label, count] : of_class[c])
      all[c].labels.emplace_back(count, a.classes[static_cast<size_t>(label)]);
    std::stable_sort(all[c].labels.begin(), all[c].labels.end(),
                     [](const auto& x, const auto& y) { return x.first > y.first; });
  }
  return all;
}

struct ClassSummary {
  int64_t images = 0, unclustered = 0;
  ClassCluster best;
};

std::vector<ClassSummary> class_summaries(const ClusterAnalysis& a) {
  std::vector<ClassSummary> all(a.classes.size());
  for (size_t i = 0; i < a.labels.size(); ++i) {
    ClassSummary& c = all[static_cast<size_t>(a.labels[i])];
    ++c.images;
    c.unclustered += a.found.cluster[i] < 0 ? 1 : 0;
  }
  for (size_t c = 0; c < all.size(); ++c)
    all[c].best = cluster_of_class(a.found.cluster, a.labels, static_cast<int32_t>(c));
  return all;
}

/// The rows of the analysis by falling score, at most `count` of them.
std::vector<size_t> highest(const std::vector<float>& score, size_t count) {
  std::vector<size_t> order(score.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return score[x] > score[y]; });
  order.resize(std::min(count, order.size()));
  return order;
}

int64_t unclustered(const ClusterAnalysis& a) {
  return std::count(a.found.cluster.begin(), a.found.cluster.end(), -1);
}

constexpr size_t kShown = 20;  // of a ranked list

/// As many suspects as there seem to be wrong labels, but no fewer than kShown.
size_t suspects_shown(const ClusterAnalysis& a) {
  return std::min(a.rows.size(), std::max(kShown, static_cast<size_t>(a.label_check->wrong)));
}

}  // namespace

nlohmann::ordered_json clusters_json(const FeaturesFile& f, const ClusterAnalysis& a) {
  using Json = nlohmann::ordered_json;
  Json j;
  j["images"] = a.rows.size();
  j["unclustered"] = unclustered(a);
  j["clusters"] = Json::array();
  const std::vector<ClusterSummary> clusters = summaries(a);
  for (size_t c = 0; c < clusters.size(); ++c) {
    Json one{{"cluster", c}, {"images", clusters[c].images}, {"mean_probability", clusters[c].probability}};
    one["first_gps"] = a.first_gps[c] ? Json(*a.first_gps[c]) : Json(nullptr);
    one["labels"] = Json::object();
    for (const auto& [count, label] : clusters[c].labels) one["labels"][label] = count;
    j["clusters"].push_back(std::move(one));
  }
  j["classes"] = Json::array();
  const std::vector<ClassSummary> classes = class_summaries(a);
  for (size_t c = 0; c < classes.size(); ++c)
    j["classes"].push_back(
        {{"label", a.classes[c]},
         {"images", classes[c].images},
         {"unclustered", classes[c].unclustered},
         {"cluster", classes[c].best.cluster < 0 ? Json(nullptr) : Json(classes[c].best.cluster)},
         {"purity", classes[c].best.purity},
         {"completeness", classes[c].best.completeness}});
  j["outliers"] = Json::array();
  for (const size_t i : highest(a.found.outlier_score, kShown))
    j["outliers"].push_back(
        {{"row", a.rows[i]}, {"image", name_of(f, a.rows[i])}, {"score", a.found.outlier_score[i]}});
  if (!a.label_check) return j;
  j["wrong_labels"] = a.label_check->wrong;
  j["suspects"] = Json::array();
  for (size_t n = 0; n < suspects_shown(a); ++n) {
    const auto i = static_cast<size_t>(a.label_check->ranking[n]);
    j["suspects"].push_back({{"row", a.rows[i]},
                             {"image", name_of(f, a.rows[i])},
                             {"label", a.classes[static_cast<size_t>(a.labels[i])]},
                             {"proposed", a.classes[static_cast<size_t>(a.label_check->proposed[i])]},
                             {"score", a.label_check->score[i]}});
  }
  return j;
}

std::string clusters_table(const FeaturesFile& f, const ClusterAnalysis& a) {
  std::string text = fmt::format("{} images in {} clusters, {} in none\n\n", a.rows.size(), a.found.clusters,
                                 unclustered(a));
  text += fmt::format("{:>7} {:>7} {:>11} {:>14}  {}\n", "cluster", "images", "probability", "first GPS",
                      "labels");
  const std::vector<ClusterSummary> clusters = summaries(a);
  for (size_t c = 0; c < clusters.size(); ++c) {
    constexpr size_t kLabels = 4;
    std::string labels;
    for (size_t l = 0; l < std::min(kLabels, clusters[c].labels.size()); ++l)
      labels += fmt::format("{}{} {}", l > 0 ? ", " : "", clusters[c].labels[l].second,
                            clusters[c].labels[l].first);
    if (clusters[c].labels.size() > kLabels) labels += ", …";
    text += fmt::format("{:>7} {:>7} {:>11.3f} {:>14}  {}\n", c, clusters[c].images, clusters[c].probability,
                        a.first_gps[c] ? fmt::format("{:.2f}", *a.first_gps[c]) : "unknown", labels);
  }
  if (!a.classes.empty()) {
    size_t width = 5;
    for (const std::string& label : a.classes) width = std::max(width, label.size());
    text += fmt::format("\n{:<{}} {:>7} {:>8} {:>13} {:>7} {:>8}\n", "class", width, "images", "cluster",
                        "completeness", "purity", "in none");
    const std::vector<ClassSummary> classes = class_summaries(a);
    for (size_t c = 0; c < classes.size(); ++c)
      text +=
          fmt::format("{:<{}} {:>7} {:>8} {:>13.3f} {:>7.3f} {:>8}\n", a.classes[c], width, classes[c].images,
                      classes[c].best.cluster < 0 ? "none" : std::to_string(classes[c].best.cluster),
                      classes[c].best.completeness, classes[c].best.purity, classes[c].unclustered);
  }
  if (!a.label_check) return text;
  text += fmt::format("\nabout {} labels are wrong; the most suspect:\n", a.label_check->wrong);
  for (size_t n = 0; n < std::min(kShown, a.rows.size()); ++n) {
    const auto i = static_cast<size_t>(a.label_check->ranking[n]);
    text += fmt::format("{:6.3f}  {}: {}, looks like {}\n", a.label_check->score[i], name_of(f, a.rows[i]),
                        a.classes[static_cast<size_t>(a.labels[i])],
                        a.classes[static_cast<size_t>(a.label_check->proposed[i])]);
  }
  return text;
}

}  // namespace xf::tool
