#include "engine/analyze/wrong_labels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/analyze/distances.h"
#include "engine/analyze/principal_axes.h"
#include "engine/analyze/softmax_regression.h"
#include "engine/core/error.h"
#include "engine/core/rng.h"

namespace xf {

namespace {

using Groups = std::vector<std::set<int32_t>>;

Groups groups_of_classes(std::span<const int32_t> labels, int32_t classes, std::span<const int32_t> groups) {
  Groups result(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) result[static_cast<size_t>(labels[i])].insert(groups[i]);
  return result;
}

int64_t largest_group(std::span<const int32_t> groups) {
  std::vector<int64_t> size(static_cast<size_t>(*std::max_element(groups.begin(), groups.end())) + 1);
  for (const int32_t g : groups) ++size[static_cast<size_t>(g)];
  return *std::max_element(size.begin(), size.end());
}

/// (points, classes): which share of the nearest others has each label.
Points neighbour_shares(const Points& points, std::span<const int32_t> labels, int32_t classes,
                        std::span<const int32_t> groups, int64_t wanted) {
  const int64_t k = std::min(points.count, wanted + largest_group(groups));
  const Neighbours near = nearest_neighbours(points, k);
  Points shares{points.count, classes, std::vector<float>(static_cast<size_t>(points.count * classes))};
  for (int64_t i = 0; i < points.count; ++i) {
    float* share = shares.values.data() + i * classes;
    int64_t found = 0;
    for (const int32_t j : near.of(i)) {
      if (groups[static_cast<size_t>(j)] == groups[static_cast<size_t>(i)] || found == wanted) continue;
      ++share[labels[static_cast<size_t>(j)]];
      ++found;
    }
    for (int32_t c = 0; c < classes; ++c) share[c] /= static_cast<float>(std::max<int64_t>(1, found));
  }
  return shares;
}

/// Each column divided by its deviation.
Points unit_variance(Points points, const std::vector<double>& variance) {
  for (int64_t i = 0; i < points.count; ++i)
    for (int64_t d = 0; d < points.dims; ++d) {
      const double v = variance[static_cast<size_t>(d)];
      if (v > 0) points.values[static_cast<size_t>(i * points.dims + d)] /= static_cast<float>(std::sqrt(v));
    }
  return points;
}

/// (points, classes): of each point by a regression on the other folds.
Points out_of_fold(const Points& points, std::span<const int32_t> labels, int32_t classes,
                   const std::vector<int>& fold_of, int folds) {
  constexpr int64_t kAxes = 64;
  const PrincipalAxes axes = principal_axes(points, kAxes);
  const Points x = unit_variance(axes.project(points), axes.variance);
  Points result{points.count, classes, std::vector<float>(static_cast<size_t>(points.count * classes))};
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<int64_t> seen, asked;
    std::vector<int32_t> seen_labels;
    for (int64_t i = 0; i < points.count; ++i) {
      if (fold_of[static_cast<size_t>(i)] == fold) {
        asked.push_back(i);
      } else {
        seen.push_back(i);
        seen_labels.push_back(labels[static_cast<size_t>(i)]);
      }
    }
    if (asked.empty()) continue;
    const Points p =
        fit_softmax_regression(rows_of(x, seen), seen_labels, classes).probabilities(rows_of(x, asked));
    for (size_t a = 0; a < asked.size(); ++a) {
      const auto row = p.row(static_cast<int64_t>(a));
      std::copy(row.begin(), row.end(), result.values.begin() + asked[a] * classes);
    }
  }
  return result;
}

/// How many points the confident joint has off its diagonal: those for which another class is likelier than
/// their own, and at least as likely as it is on average for its own points.
int64_t confidently_wrong(const Points& probabilities, std::span<const int32_t> labels) {
  const auto classes = static_cast<size_t>(probabilities.dims);
  std::vector<double> threshold(classes), count(classes);
  for (int64_t i = 0; i < probabilities.count; ++i) {
    const auto own = static_cast<size_t>(labels[static_cast<size_t>(i)]);
    threshold[own] += probabilities.row(i)[own];
    ++count[own];
  }
  for (size_t c = 0; c < classes; ++c) threshold[c] /= std::max(1.0, count[c]);
  int64_t wrong = 0;
  for (int64_t i = 0; i < probabilities.count; ++i) {
    const auto p = probabilities.row(i);
    const float own = p[static_cast<size_t>(labels[static_cast<size_t>(i)])];
    bool other = false;
    for (size_t c = 0; c < classes; ++c) other = other || (p[c] > own && p[c] >= threshold[c]);
    wrong += other ? 1 : 0;
  }
  return wrong;
}

/// The likeliest class besides `own`.
size_t likeliest_other(std::span<const float> p, size_t own) {
  size_t best = own == 0 ? 1 : 0;
  for (size_t c = 0; c < p.size(); ++c)
    if (c != own && p[c] > p[best]) best = c;
  return best;
}

}  // namespace

std::vector<int> folds_by_group(std::span<const int32_t> labels, int32_t classes,
                                std::span<const int32_t> groups, int folds, uint64_t seed) {
  std::vector<int> of_group(static_cast<size_t>(*std::max_element(groups.begin(), groups.end())) + 1, -1);
  int next = 0;
  const Groups by_class = groups_of_classes(labels, classes, groups);
  for (size_t c = 0; c < by_class.size(); ++c) {
    std::vector<int32_t> order(by_class[c].begin(), by_class[c].end());
    Rng rng(seed, c);
    rng.shuffle(order);
    for (const int32_t g : order)
      if (int& fold = of_group[static_cast<size_t>(g)]; fold < 0) fold = next++ % folds;
  }
  std::vector<int> result;
  result.reserve(groups.size());
  for (const int32_t g : groups) result.push_back(of_group[static_cast<size_t>(g)]);
  return result;
}

LabelCheck check_labels(const Points& points, std::span<const int32_t> labels, int32_t classes,
                        std::span<const int32_t> groups, const LabelCheckOptions& options) {
  const Groups by_class = groups_of_classes(labels, classes, groups);
  if (std::count_if(by_class.begin(), by_class.end(), [](const auto& g) { return g.size() > 1; }) < 2)
    throw DataError("labels", "fewer than two classes have two glitches or more: none can be checked",
                    "check labels of more classes");
  const Points shares = neighbour_shares(points, labels, classes, groups, options.neighbours);
  const Points p =
      out_of_fold(points, labels, classes,
                  folds_by_group(labels, classes, groups, options.folds, options.seed), options.folds);
  LabelCheck r;
  r.wrong = confidently_wrong(p, labels);
  r.score.resize(labels.size());
  r.proposed.assign(labels.begin(), labels.end());
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto own = static_cast<size_t>(labels[i]);
    if (by_class[own].size() < 2) continue;
    const auto row = static_cast<int64_t>(i);
    const auto share = shares.row(row), likely = p.row(row);
    const size_t other = likeliest_other(likely, own);
    r.score[i] = ((1 - share[own]) + (1 + likely[other] - likely[own]) / 2) / 2;
    float best = share[own] + likely[own];
    for (size_t c = 0; c < share.size(); ++c)
      if (share[c] + likely[c] > best) {
        best = share[c] + likely[c];
        r.proposed[i] = static_cast<int32_t>(c);
      }
  }
  r.ranking.resize(labels.size());
  std::iota(r.ranking.begin(), r.ranking.end(), 0);
  std::stable_sort(r.ranking.begin(), r.ranking.end(), [&](int64_t a, int64_t b) {
    return r.score[static_cast<size_t>(a)] > r.score[static_cast<size_t>(b)];
  });
  return r;
}

}  // namespace xf
