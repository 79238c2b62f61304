#include "engine/analyze/separation.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/analyze/distances.h"

namespace xf {

double auroc(std::span<const double> negatives, std::span<const double> positives) {
  if (negatives.empty() || positives.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> low(negatives.begin(), negatives.end());
  std::sort(low.begin(), low.end());
  double wins = 0;
  for (const double score : positives) {
    const auto [first, last] = std::equal_range(low.begin(), low.end(), score);
    wins += static_cast<double>(first - low.begin()) + static_cast<double>(last - first) / 2;
  }
  return wins / static_cast<double>(negatives.size()) / static_cast<double>(positives.size());
}

double neighbour_purity(const Points& points, std::span<const int32_t> labels, int64_t k) {
  const Neighbours near = nearest_neighbours(points, k + 1);
  int64_t same = 0;
  for (int64_t i = 0; i < points.count; ++i) {
    int64_t others = 0;  // itself is among them, but for k + 1 that coincide with it
    for (const int32_t j : near.of(i)) {
      if (j == i || others == k) continue;
      ++others;
      same += labels[static_cast<size_t>(j)] == labels[static_cast<size_t>(i)] ? 1 : 0;
    }
  }
  return static_cast<double>(same) / static_cast<double>(points.count * k);
}

ClassCluster cluster_of_class(std::span<const int32_t> cluster, std::span<const int32_t> labels,
                              int32_t label) {
  std::vector<int64_t> of_class, size;
  int64_t images = 0;
  for (size_t i = 0; i < cluster.size(); ++i) {
    images += labels[i] == label ? 1 : 0;
    if (cluster[i] < 0) continue;
    const auto c = static_cast<size_t>(cluster[i]);
    if (c >= size.size()) {
      size.resize(c + 1);
      of_class.resize(c + 1);
    }
    ++size[c];
    of_class[c] += labels[i] == label ? 1 : 0;
  }
  const auto most = std::max_element(of_class.begin(), of_class.end());
  if (most == of_class.end() || *most == 0) return {};
  const auto c = most - of_class.begin();
  return {static_cast<int32_t>(c),
          static_cast<double>(*most) / static_cast<double>(size[static_cast<size_t>(c)]),
          static_cast<double>(*most) / static_cast<double>(images)};
}

}  // namespace xf
