#include "engine/analyze/condensed_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "engine/core/error.h"

namespace xf {

namespace {

/// A merger of two nodes: points are nodes 0 … n-1, mergers n … 2n-2 in order of their weight.
struct Merger {
  std::array<int32_t, 2> child{};
  double weight = 0;
  int64_t size = 0;
};

struct Dendrogram {
  int32_t points = 0;
  std::vector<Merger> mergers;

  [[nodiscard]] int32_t root() const { return points + static_cast<int32_t>(mergers.size()) - 1; }
  [[nodiscard]] const Merger& merger(int32_t node) const {
    return mergers[static_cast<size_t>(node - points)];
  }
  [[nodiscard]] int64_t size(int32_t node) const { return node < points ? 1 : merger(node).size; }
};

Dendrogram single_linkage(std::span<const TreeEdge> edges) {
  Dendrogram d{static_cast<int32_t>(edges.size()) + 1, {}};
  std::vector<int32_t> top(2 * static_cast<size_t>(d.points) - 1);  // union-find over nodes
  std::iota(top.begin(), top.end(), 0);
  const auto find = [&](int32_t node) {
    while (top[static_cast<size_t>(node)] != node) {
      int32_t& up = top[static_cast<size_t>(node)];
      up = top[static_cast<size_t>(up)];
      node = up;
    }
    return node;
  };
  for (const TreeEdge& e : edges) {
    const int32_t a = find(e.a), b = find(e.b), node = d.points + static_cast<int32_t>(d.mergers.size());
    d.mergers.push_back({{a, b}, e.weight, d.size(a) + d.size(b)});
    top[static_cast<size_t>(a)] = top[static_cast<size_t>(b)] = node;
  }
  return d;
}

/// Walks down from the root and fills the condensed tree.
class Condenser {
 public:
  Condenser(const Dendrogram& dendrogram, int64_t min_cluster_size)
      : d_(dendrogram), least_(min_cluster_size) {
    const double widest = d_.mergers.empty() ? 0 : d_.mergers.back().weight;
    constexpr double kLeast = 1e-150;  // where all points coincide: sums of its inverse stay finite
    smallest_ = std::max(widest * std::numeric_limits<float>::epsilon(), kLeast);
    tree_.last_cluster.resize(static_cast<size_t>(d_.points));
    tree_.left_at.resize(static_cast<size_t>(d_.points));
  }

  CondensedTree run() {
    // In breadth, so that clusters are numbered as scikit-learn numbers them.
    std::vector<std::pair<int32_t, int32_t>> now{{d_.root(), add_cluster(-1, 0, d_.points)}}, next;
    for (; !now.empty(); now.swap(next)) {
      next.clear();
      for (const auto& [node, cluster] : now) visit(node, cluster, next);
    }
    return std::move(tree_);
  }

 private:
  void visit(int32_t node, int32_t cluster, std::vector<std::pair<int32_t, int32_t>>& next) {
    if (node < d_.points) return leave(node, cluster, density(0));
    const Merger& m = d_.merger(node);
    const double at = density(m.weight);
    const auto is_large = [&](int32_t child) { return d_.size(child) >= least_; };
    const bool both = is_large(m.child[0]) && is_large(m.child[1]);
    for (const int32_t child : m.child) {
      if (both)
        next.emplace_back(child, add_cluster(cluster, at, d_.size(child)));
      else if (is_large(child))
        next.emplace_back(child, cluster);
      else
        leave(child, cluster, at);
    }
  }

  /// All points below a node leave the cluster.
  void leave(int32_t node, int32_t cluster, double at) {
    std::vector<int32_t> stack{node};
    while (!stack.empty()) {
      const int32_t n = stack.back();
      stack.pop_back();
      if (n >= d_.points) {
        const Merger& m = d_.merger(n);
        stack.insert(stack.end(), m.child.begin(), m.child.end());
        continue;
      }
      tree_.last_cluster[static_cast<size_t>(n)] = cluster;
      tree_.left_at[static_cast<size_t>(n)] = at;
    }
  }

  int32_t add_cluster(int32_t parent, double birth, int64_t size) {
    tree_.parent.push_back(parent);
    tree_.birth.push_back(birth);
    tree_.size.push_back(size);
    return static_cast<int32_t>(tree_.parent.size()) - 1;
  }

  [[nodiscard]] double density(double weight) const { return 1 / std::max(weight, smallest_); }

  const Dendrogram& d_;
  int64_t least_;
  double smallest_;
  CondensedTree tree_;
};

}  // namespace

CondensedTree condense(std::span<const TreeEdge> edges, int64_t min_cluster_size) {
  if (min_cluster_size < 2)
    throw UsageError("min_cluster_size", fmt::format("must be 2 or more, not {}", min_cluster_size));
  const Dendrogram dendrogram = single_linkage(edges);
  return Condenser(dendrogram, min_cluster_size).run();
}

}  // namespace xf
