#include "tools/xferrun/report_points.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace xf::tool {

namespace {

using Json = nlohmann::json;

constexpr size_t kFewestShown = 20, kMostShown = 60;  // of a ranked list

/// Short as text: a map of some hundred units is drawn to a thousandth.
double rounded(double x) { return std::round(x * 1000) / 1000; }

Json time_of(double gps) { return std::isnan(gps) ? Json(nullptr) : Json(gps); }

Json points_json(const ReportPoints& p) {
  const FeaturesFile& f = p.features;
  Json points{{"id", f.paths}, {"label", labels_of(f)}};
  if (!f.splits.empty()) points["part"] = f.splits;
  for (const Likeliest& l : likeliest(f)) {
    points["predicted"].push_back(l.label);
    points["probability"].push_back(rounded(l.probability));
  }
  for (const double t : f.gps) points["gps"].push_back(time_of(t));
  if (p.map)
    for (size_t i = 0; i < p.map->coordinates.size(); ++i)
      points[std::string(1, "xyz"[i % 3])].push_back(rounded(p.map->coordinates[i]));
  if (p.groups) points["cluster"] = p.groups->found.cluster;
  return points;
}

Json suspects_json(const LabelCheck& check, const ClusterAnalysis& a, const FeaturesFile& f) {
  const size_t shown =
      std::min(check.ranking.size(), std::clamp(static_cast<size_t>(check.wrong), kFewestShown, kMostShown));
  Json list = Json::array();
  for (size_t n = 0; n < shown; ++n) {
    const auto i = static_cast<size_t>(check.ranking[n]);
    const std::string& proposed = a.classes[static_cast<size_t>(check.proposed[i])];
    list.push_back(
        {{"point", i},
         {"suggested", std::find(f.classes.begin(), f.classes.end(), proposed) - f.classes.begin()},
         {"score", rounded(check.score[i])}});
  }
  return list;
}

Json outliers_json(const std::vector<float>& score) {
  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return score[x] > score[y]; });
  Json list = Json::array();
  for (size_t n = 0; n < std::min(kFewestShown, order.size()) && score[order[n]] > 0; ++n)
    list.push_back({{"point", order[n]}, {"score", rounded(score[order[n]])}});
  return list;
}

Json clusters_json(const ClusterAnalysis& a, const FeaturesFile& f) {
  const std::vector<int32_t> labels = labels_of(f);
  Json list = Json::array();
  for (int32_t c = 0; c < a.found.clusters; ++c) {
    std::map<int32_t, int64_t> of_class;
    std::vector<double> times;
    int64_t size = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (a.found.cluster[i] != c) continue;
      ++size;
      ++of_class[labels[i]];
      if (!f.gps.empty() && !std::isnan(f.gps[i])) times.push_back(f.gps[i]);
    }
    const auto most = std::max_element(of_class.begin(), of_class.end(),
                                       [](const auto& x, const auto& y) { return x.second < y.second; });
    const auto& first = a.first_gps[static_cast<size_t>(c)];
    list.push_back({{"cluster", c},
                    {"size", size},
                    {"mostly", most->first},
                    {"share", static_cast<double>(most->second) / static_cast<double>(size)},
                    {"first_gps", first ? Json(*first) : Json(nullptr)},
                    {"times", times}});
  }
  return list;
}

}  // namespace

std::vector<int32_t> labels_of(const FeaturesFile& f) {
  std::map<std::string, int32_t> index;
  for (const std::string& c : f.classes) index.emplace(c, static_cast<int32_t>(index.size()));
  std::vector<int32_t> labels;
  for (const std::string& label : f.labels) labels.push_back(index.at(label));
  return labels;
}

std::vector<Likeliest> likeliest(const FeaturesFile& f) {
  std::vector<Likeliest> all;
  for (int64_t i = 0; i < f.logits.count; ++i) {
    const auto logits = f.logits.row(i);
    const auto best = std::max_element(logits.begin(), logits.end());
    double sum = 0;  // softmax
    for (const float x : logits) sum += std::exp(static_cast<double>(x) - *best);
    all.push_back({static_cast<int32_t>(best - logits.begin()), 1 / sum});
  }
  return all;
}

Json to_json(const ReportPoints& p) {
  Json j{{"points", points_json(p)}};
  if (!p.groups) return j;
  j["outliers"] = outliers_json(p.groups->found.outlier_score);
  j["clusters"] = clusters_json(*p.groups, p.features);
  if (p.groups->label_check) j["suspects"] = suspects_json(*p.groups->label_check, *p.groups, p.features);
  return j;
}

}  // namespace xf::tool
