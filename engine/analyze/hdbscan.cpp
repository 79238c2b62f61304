#include "engine/analyze/hdbscan.h"

#include <algorithm>
#include <numeric>

namespace xf {

namespace {

/// By cluster: how much density its points add to it over its life.
std::vector<double> stabilities(const CondensedTree& tree) {
  std::vector<double> stability(tree.parent.size());
  for (size_t p = 0; p < tree.left_at.size(); ++p) {
    const auto c = static_cast<size_t>(tree.last_cluster[p]);
    stability[c] += tree.left_at[p] - tree.birth[c];
  }
  for (size_t c = 1; c < stability.size(); ++c) {
    const auto up = static_cast<size_t>(tree.parent[c]);
    stability[up] += (tree.birth[c] - tree.birth[up]) * static_cast<double>(tree.size[c]);
  }
  return stability;
}

/// By cluster: the chosen cluster that it is or lies in; -1 where there is none.
std::vector<int32_t> choose(const CondensedTree& tree) {
  const std::vector<double> own = stabilities(tree);
  std::vector<double> of_children(own.size()), best(own.size());
  std::vector<uint8_t> better(own.size());  // than all that lies in it
  for (size_t c = own.size(); c-- > 1;) {   // children before parents; the root is no choice
    better[c] = of_children[c] > own[c] ? 0 : 1;
    best[c] = std::max(of_children[c], own[c]);
    of_children[static_cast<size_t>(tree.parent[c])] += best[c];
  }
  std::vector<int32_t> chosen(own.size(), -1);
  for (size_t c = 1; c < own.size(); ++c) {
    const int32_t above = chosen[static_cast<size_t>(tree.parent[c])];
    chosen[c] = above >= 0 ? above : better[c] != 0 ? static_cast<int32_t>(c) : -1;
  }
  return chosen;
}

/// By cluster: the density at which the last of it goes, be it points or clusters.
std::vector<double> last_density(const CondensedTree& tree) {
  std::vector<double> last(tree.parent.size());
  for (size_t p = 0; p < tree.left_at.size(); ++p) {
    double& at = last[static_cast<size_t>(tree.last_cluster[p])];
    at = std::max(at, tree.left_at[p]);
  }
  for (size_t c = 1; c < last.size(); ++c) {
    double& at = last[static_cast<size_t>(tree.parent[c])];
    at = std::max(at, tree.birth[c]);
  }
  return last;
}

std::vector<float> outlier_scores(const CondensedTree& tree, std::vector<double> last) {
  for (size_t c = last.size(); c-- > 1;) {  // of a cluster and everything in it
    double& above = last[static_cast<size_t>(tree.parent[c])];
    above = std::max(above, last[c]);
  }
  std::vector<float> scores(tree.left_at.size());
  for (size_t p = 0; p < scores.size(); ++p) {
    const double most = last[static_cast<size_t>(tree.last_cluster[p])];
    scores[p] = static_cast<float>((most - tree.left_at[p]) / most);
  }
  return scores;
}

/// Renumbers the clusters of the points by falling size.
int32_t number_by_size(std::vector<int32_t>& cluster, size_t tree_clusters) {
  std::vector<int64_t> size(tree_clusters), first(tree_clusters, static_cast<int64_t>(cluster.size()));
  for (size_t p = cluster.size(); p-- > 0;) {
    if (cluster[p] < 0) continue;
    const auto c = static_cast<size_t>(cluster[p]);
    ++size[c];
    first[c] = static_cast<int64_t>(p);
  }
  std::vector<int32_t> order;
  for (size_t c = 0; c < tree_clusters; ++c)
    if (size[c] > 0) order.push_back(static_cast<int32_t>(c));
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    const auto i = static_cast<size_t>(a), j = static_cast<size_t>(b);
    return size[i] != size[j] ? size[i] > size[j] : first[i] < first[j];
  });
  std::vector<int32_t> number(tree_clusters, -1);
  for (size_t n = 0; n < order.size(); ++n) number[static_cast<size_t>(order[n])] = static_cast<int32_t>(n);
  for (int32_t& c : cluster)
    if (c >= 0) c = number[static_cast<size_t>(c)];
  return static_cast<int32_t>(order.size());
}

}  // namespace

Clustering excess_of_mass(const CondensedTree& tree) {
  const std::vector<int32_t> chosen = choose(tree);
  const std::vector<double> last = last_density(tree);
  const size_t points = tree.left_at.size();
  Clustering r;
  r.cluster.resize(points);
  r.probability.resize(points);
  for (size_t p = 0; p < points; ++p) {
    const int32_t c = r.cluster[p] = chosen[static_cast<size_t>(tree.last_cluster[p])];
    if (c < 0) continue;
    const double most = last[static_cast<size_t>(c)];
    r.probability[p] = static_cast<float>(std::min(tree.left_at[p], most) / most);
  }
  r.outlier_score = outlier_scores(tree, last);
  r.clusters = number_by_size(r.cluster, chosen.size());
  return r;
}

Clustering hdbscan(const Points& points, const HdbscanOptions& options) {
  return excess_of_mass(
      condense(mutual_reachability_tree(points, options.min_samples), options.min_cluster_size));
}

}  // namespace xf
