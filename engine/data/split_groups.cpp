#include "engine/data/split_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/core/rng.h"

namespace xf {

namespace {

constexpr uint64_t kGroupStream = uint64_t{0x677270} << 32;

/// How many glitches of each class there are in something.
using Counts = std::vector<double>;

/// A group with its glitches by class; classes that it lacks are not listed.
struct Group {
  std::vector<size_t> samples;
  std::map<size_t, double> glitches;
  [[nodiscard]] double size() const {
    double sum = 0;
    for (const auto& [label, count] : glitches) sum += count;
    return sum;
  }
};

std::vector<Group> counted(const Dataset& data, const GlitchGroups& groups) {
  std::vector<Group> result;
  for (const std::vector<size_t>& samples : groups) {
    Group g{samples, {}};
    std::map<std::string_view, size_t> label_of;
    for (const size_t i : samples)
      label_of.emplace(data.samples[i].glitch, static_cast<size_t>(data.samples[i].label));
    for (const auto& [id, label] : label_of) ++g.glitches[label];
    result.push_back(std::move(g));
  }
  return result;
}

/// How much further from its targets a bin is with the group than without, a class's glitches weighed by how
/// few it has.
double cost(const Group& group, const Counts& have, const Counts& target, const Counts& all) {
  double sum = 0;
  for (const auto& [c, count] : group.glitches) {
    const double before = have[c] - target[c], after = before + count;
    sum += (after * after - before * before) / all[c];
  }
  return sum;
}

/// The bin of each sample; targets[bin][class], glitches. A bin without any target takes nothing.
std::vector<int> assign(const Dataset& data, const GlitchGroups& groups, const std::vector<Counts>& targets,
                        uint64_t seed) {
  std::vector<Group> order = counted(data, groups);
  Rng rng(seed, kGroupStream);
  rng.shuffle(order);
  std::stable_sort(order.begin(), order.end(),
                   [](const Group& a, const Group& b) { return a.size() > b.size(); });
  Counts all(data.classes.size());
  for (const Group& g : order)
    for (const auto& [c, count] : g.glitches) all[c] += count;
  std::vector<Counts> have(targets.size(), Counts(data.classes.size()));
  std::vector<int> bins(data.samples.size());
  for (const Group& g : order) {
    size_t best = targets.size();
    double best_cost = 0;
    for (size_t bin = 0; bin < targets.size(); ++bin) {
      if (std::all_of(targets[bin].begin(), targets[bin].end(), [](double t) { return t == 0; })) continue;
      const double its = cost(g, have[bin], targets[bin], all);
      if (best == targets.size() || its < best_cost) {
        best = bin;
        best_cost = its;
      }
    }
    for (const auto& [c, count] : g.glitches) have[best][c] += count;
    for (const size_t i : g.samples) bins[i] = static_cast<int>(best);
  }
  return bins;
}

}  // namespace

GlitchGroups groups_in_time(const Dataset& data, double gap) {
  if (!(gap > 0)) throw UsageError("--gps-gap", fmt::format("must be above 0 seconds, not {}", gap));
  struct Timed {
    double gps;
    std::vector<size_t> samples;
  };
  std::unordered_map<std::string_view, Timed> by_glitch;
  std::unordered_map<std::string_view, size_t> untimed;
  for (size_t i = 0; i < data.samples.size(); ++i) {
    const Sample& s = data.samples[i];
    if (!s.gps)
      untimed.emplace(s.glitch, i);
    else
      by_glitch.emplace(s.glitch, Timed{*s.gps, {}}).first->second.samples.push_back(i);
  }
  if (!untimed.empty()) {
    const auto first = std::min_element(untimed.begin(), untimed.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
    throw DataError(data.source.string(),
                    fmt::format("{} glitches have no GPS time (the first: {})", untimed.size(), first->first),
                    "Name their times with --metadata or the column gps, or leave out --gps-gap.");
  }
  std::vector<Timed> glitches;
  glitches.reserve(by_glitch.size());
  for (auto& [id, timed] : by_glitch) glitches.push_back(std::move(timed));
  std::sort(glitches.begin(), glitches.end(), [](const Timed& a, const Timed& b) {
    return a.gps != b.gps ? a.gps < b.gps : a.samples < b.samples;
  });
  GlitchGroups groups;
  for (size_t i = 0; i < glitches.size(); ++i) {
    if (i == 0 || glitches[i].gps - glitches[i - 1].gps >= gap) groups.emplace_back();
    groups.back().insert(groups.back().end(), glitches[i].samples.begin(), glitches[i].samples.end());
  }
  return groups;
}

std::vector<Part> split_groups(const Dataset& data, const GlitchGroups& groups, const SplitOptions& options) {
  constexpr size_t kParts = 3;
  const std::vector<ClassShares> shares = class_shares(data, options);
  std::vector<Counts> targets(kParts, Counts(data.classes.size()));
  for (size_t c = 0; c < shares.size(); ++c) {
    targets[static_cast<size_t>(Part::train)][c] = static_cast<double>(shares[c].train);
    targets[static_cast<size_t>(Part::val)][c] = static_cast<double>(shares[c].val);
    targets[static_cast<size_t>(Part::test)][c] = static_cast<double>(shares[c].test);
  }
  std::vector<Part> parts;
  std::array<size_t, kParts> size{};
  for (const int bin : assign(data, groups, targets, options.seed)) {
    parts.push_back(static_cast<Part>(bin));
    ++size[static_cast<size_t>(bin)];
  }
  const std::array<double, kParts> wanted{1, options.val, options.test};
  for (const Part part : {Part::train, Part::val, Part::test})
    if (wanted[static_cast<size_t>(part)] > 0 && size[static_cast<size_t>(part)] == 0)
      throw DataError(data.source.string(),
                      fmt::format("its glitches form {} groups in time, and none is left for the part {}",
                                  groups.size(), name(part)),
                      "Choose a shorter --gps-gap.");
  check_split(data, parts, data.source);
  return parts;
}

std::vector<int> fold_groups(const Dataset& data, const GlitchGroups& groups, int k, uint64_t seed) {
  if (k < 2) throw UsageError("--folds", fmt::format("needs 2 folds or more, got {}", k));
  require_two_classes(data);
  if (groups.size() < static_cast<size_t>(k))
    throw DataError(data.source.string(),
                    fmt::format("its glitches form {} groups in time, fewer than {} folds", groups.size(), k),
                    "Choose a shorter --gps-gap or fewer --folds.");
  Counts share(data.classes.size());
  for (const Group& g : counted(data, groups))
    for (const auto& [c, count] : g.glitches) share[c] += count / k;
  std::vector<int> folds = assign(data, groups, std::vector<Counts>(static_cast<size_t>(k), share), seed);
  for (int fold = 0; fold < k; ++fold) check_split(data, fold_split(folds, fold), data.source);
  return folds;
}

}  // namespace xf
