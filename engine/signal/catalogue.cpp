#include "engine/signal/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/signal/kinds.h"

namespace xf {
namespace {

/// Random streams beside those of the glitches (glitch_stream), which have a hash in their upper half.
enum Stream : uint64_t { kIds, kLabels, kTimes };

/// Glitches in the public training set v1.1, in the order of catalogue_classes(); Reverse_Chirp as Chirp.
constexpr std::array<int64_t, 23> kPublic = {328, 81, 58,  1822, 60, 447, 279, 706, 512, 621, 447, 150,
                                             81,  27, 449, 263,  60, 443, 337, 103, 412, 42,  299};

std::vector<size_t> chosen_classes(const std::vector<std::string>& wanted) {
  const auto known = catalogue_classes();
  std::vector<size_t> chosen;
  for (const std::string& name : wanted) {
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end())
      throw UsageError("--classes", fmt::format("there is no \"{}\"", name),
                       fmt::format("Choose from: {}.", fmt::join(known, ", ")));
    chosen.push_back(static_cast<size_t>(at - known.begin()));
  }
  std::sort(chosen.begin(), chosen.end());
  if (const auto twice = std::adjacent_find(chosen.begin(), chosen.end()); twice != chosen.end())
    throw UsageError("--classes", fmt::format("{} is listed twice", known[*twice]), "List it once.");
  if (!chosen.empty()) return chosen;
  chosen.resize(known.size());
  std::iota(chosen.begin(), chosen.end(), size_t{0});
  return chosen;
}

/// `count` in the public proportions: one each, and the rest by largest remainder.
std::vector<int64_t> shares(const std::vector<size_t>& classes, const CatalogueOptions& o) {
  const auto n = static_cast<int64_t>(classes.size());
  if (o.per_class) {
    if (*o.per_class < 1) throw UsageError("--per-class", "needs 1 or more");
    return std::vector<int64_t>(classes.size(), *o.per_class);
  }
  if (o.count < n)
    throw UsageError("--count", fmt::format("{} glitches are fewer than the {} classes", o.count, n),
                     "Ask for more, or for fewer --classes.");
  double all = 0;
  for (const size_t c : classes) all += static_cast<double>(kPublic[c]);
  std::vector<int64_t> result;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t left = o.count;
  for (size_t i = 0; i < classes.size(); ++i) {
    const double share = static_cast<double>(o.count - n) * static_cast<double>(kPublic[classes[i]]) / all;
    result.push_back(1 + static_cast<int64_t>(share));
    left -= result.back();
    remainders.emplace_back(std::floor(share) - share, i);  // ascending: the largest remainder first
  }
  std::sort(remainders.begin(), remainders.end());
  for (int64_t i = 0; i < left; ++i) ++result[remainders[static_cast<size_t>(i)].second];
  return result;
}

std::string next_id(Rng& rng, std::set<std::string>& taken) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (;;) {
    std::string id;
    for (int i = 0; i < 10; ++i) id += kLetters[rng.below(kLetters.size())];
    if (taken.insert(id).second) return id;
  }
}

SampleType type_of(int64_t i, int64_t count) {
  const auto each = std::lround(0.15 * static_cast<double>(count));
  if (i < each) return SampleType::validation;
  return i < 2 * each ? SampleType::test : SampleType::train;
}

double begin_of(std::string_view name, const CatalogueOptions& o) {
  const auto late = std::find_if(o.late.begin(), o.late.end(), [&](const auto& l) { return l.name == name; });
  return late == o.late.end() ? 0.0 : late->fraction;
}

void check(const CatalogueOptions& o, const std::vector<size_t>& classes) {
  if (!(o.wrong_labels >= 0 && o.wrong_labels < 1))
    throw UsageError("--wrong-labels", fmt::format("{} is no fraction below 1", o.wrong_labels));
  if (o.wrong_labels > 0 && classes.size() < 2)
    throw UsageError("--wrong-labels", "needs two classes or more", "Choose more --classes.");
  for (const LateClass& late : o.late) {
    const auto is_it = [&](size_t c) { return catalogue_classes()[c] == late.name; };
    if (std::none_of(classes.begin(), classes.end(), is_it))
      throw UsageError("--late-class", fmt::format("{} is no class of the data set", late.name));
    if (!(late.fraction > 0 && late.fraction < 1))
      throw UsageError("--late-class", fmt::format("{} is no fraction between 0 and 1", late.fraction));
  }
}

void mix_up_labels(std::vector<CatalogueEntry>& entries, const std::vector<size_t>& classes,
                   const CatalogueOptions& o) {
  Rng rng(o.seed, kLabels);
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  rng.shuffle(order);
  order.resize(static_cast<size_t>(std::lround(o.wrong_labels * static_cast<double>(entries.size()))));
  for (const size_t i : order) {
    std::vector<std::string_view> others;
    for (const size_t c : classes)
      if (catalogue_classes()[c] != entries[i].true_label) others.push_back(catalogue_classes()[c]);
    entries[i].label = others[rng.below(others.size())];
  }
}

}  // namespace

std::string_view name(SampleType type) {
  constexpr std::array<std::string_view, 3> kNames = {"train", "validation", "test"};
  return kNames[static_cast<size_t>(type)];
}

std::span<const std::string_view> catalogue_classes() {
  static const auto kNames = [] {
    std::vector<std::string_view> names;
    for (const GlitchKind& kind : gravity_spy_glitches()) names.push_back(kind.name);
    return names;
  }();
  return kNames;
}

std::vector<CatalogueEntry> make_catalogue(const CatalogueOptions& o) {
  const std::vector<size_t> classes = chosen_classes(o.classes);
  check(o, classes);
  const std::vector<int64_t> counts = shares(classes, o);
  Rng ids(o.seed, kIds), times(o.seed, kTimes);
  std::set<std::string> taken;
  std::vector<CatalogueEntry> entries;
  for (size_t k = 0; k < classes.size(); ++k) {
    const std::string_view label = catalogue_classes()[classes[k]];
    const double begin = begin_of(label, o);
    for (int64_t i = 0; i < counts[k]; ++i) {
      CatalogueEntry entry;
      entry.id = next_id(ids, taken);
      entry.label = entry.true_label = label;
      entry.index = static_cast<uint64_t>(i);
      entry.type = type_of(i, counts[k]);
      entry.detector = times.below(2) == 0 ? "H1" : "L1";
      entry.gps = std::floor(1e6 * (o.start + o.seconds * times.uniform(begin, 1))) / 1e6;
      entries.push_back(std::move(entry));
    }
  }
  mix_up_labels(entries, classes, o);
  return entries;
}

}  // namespace xf
