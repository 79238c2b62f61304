#include "engine/data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/core/error.h"
#include "engine/core/rng.h"

namespace xf {

namespace {

// Streams of the seed, one a class, apart from those that other rooms draw from.
constexpr uint64_t kSplitStream = uint64_t{0x73706C} << 32;
constexpr uint64_t kFoldStream = uint64_t{0x666F6C} << 32;

void require_fraction(const char* option, double value) {
  if (value >= 0 && value < 1) return;
  throw UsageError(option, fmt::format("{} is not a fraction of the data", value),
                   "Give a number from 0 (no such part) to below 1.");
}

size_t share(double fraction, size_t glitches) {
  if (fraction == 0) return 0;
  return std::max<size_t>(1, static_cast<size_t>(std::lround(fraction * static_cast<double>(glitches))));
}

void assign(const Glitch& glitch, Part part, std::vector<Part>& parts) {
  for (const size_t i : glitch.samples) parts[i] = part;
}

}  // namespace

std::vector<ClassShares> class_shares(const Dataset& data, const SplitOptions& options) {
  require_fraction("--val-fraction", options.val);
  require_fraction("--test-fraction", options.test);
  if (options.val + options.test >= 1)
    throw UsageError("--val-fraction and --test-fraction", "leave nothing to train on",
                     "Choose fractions whose sum is below 1.");
  require_two_classes(data);
  std::vector<ClassShares> shares;
  for (const std::vector<Glitch>& glitches : glitches_by_class(data)) {
    const size_t all = glitches.size();
    if (all == 0) {  // a class of the network that this data does not show
      shares.emplace_back();
      continue;
    }
    const size_t test = share(options.test, all), val = share(options.val, all);
    if (test + val >= all)
      throw DataError(data.source.string(),
                      fmt::format("class {} has {} glitch{}, and {} for testing and {} for validation leave "
                                  "none to train on",
                                  data.classes[shares.size()], all, all == 1 ? "" : "es", test, val),
                      "Add images of it, remove the class, or set --val-fraction or --test-fraction to 0.");
    shares.push_back({all - test - val, val, test});
  }
  return shares;
}

std::vector<Part> make_split(const Dataset& data, const SplitOptions& options) {
  const std::vector<ClassShares> shares = class_shares(data, options);
  std::vector<Part> parts(data.samples.size(), Part::train);
  std::vector<std::vector<Glitch>> classes = glitches_by_class(data);
  for (size_t c = 0; c < classes.size(); ++c) {
    std::vector<Glitch>& glitches = classes[c];
    const auto [train, val, test] = shares[c];
    Rng rng(options.seed, kSplitStream + c);
    rng.shuffle(glitches);
    for (size_t i = 0; i < test; ++i) assign(glitches[i], Part::test, parts);
    for (size_t i = test; i < test + val; ++i) assign(glitches[i], Part::val, parts);
  }
  return parts;
}

std::vector<int> make_folds(const Dataset& data, int k, uint64_t seed) {
  if (k < 2) throw UsageError("--leave-glitches-out", "needs 2 folds or more, got " + std::to_string(k));
  require_two_classes(data);
  std::vector<int> folds(data.samples.size(), 0);
  std::vector<std::vector<Glitch>> classes = glitches_by_class(data);
  size_t dealt = 0;  // goes on from class to class, so that the folds stay of equal size
  for (size_t c = 0; c < classes.size(); ++c) {
    std::vector<Glitch>& glitches = classes[c];
    if (glitches.size() == 1)
      throw DataError(data.source.string(),
                      fmt::format("class {} has one glitch; when it is left out none remain to train on",
                                  data.classes[c]),
                      "Add images of other glitches of the class, or remove it.");
    Rng rng(seed, kFoldStream + c);
    rng.shuffle(glitches);
    for (const Glitch& g : glitches) {
      for (const size_t i : g.samples) folds[i] = static_cast<int>(dealt % static_cast<size_t>(k));
      ++dealt;
    }
  }
  return folds;
}

std::vector<Part> fold_split(const std::vector<int>& folds, int fold) {
  std::vector<Part> parts;
  parts.reserve(folds.size());
  for (const int f : folds) parts.push_back(f == fold ? Part::test : Part::train);
  return parts;
}

std::vector<Part> own_split(const Dataset& data) {
  std::vector<Part> parts;
  for (const Sample& s : data.samples) {
    if (!s.part) return {};
    parts.push_back(*s.part);
  }
  return parts;
}

void check_split(const Dataset& data, const std::vector<Part>& parts, const std::filesystem::path& source) {
  const std::vector<std::vector<Glitch>> classes = glitches_by_class(data);
  for (size_t c = 0; c < classes.size(); ++c) {
    bool trains = classes[c].empty();
    for (const Glitch& g : classes[c]) {
      const Part first = parts[g.samples[0]];
      for (const size_t i : g.samples)
        if (parts[i] != first)
          throw DataError(source.string(),
                          fmt::format("glitch {} is in {} ({}) and in {} ({})", g.id, name(first),
                                      data.samples[g.samples[0]].name, name(parts[i]), data.samples[i].name),
                          "Put all images of one glitch into one part.");
      trains = trains || first == Part::train;
    }
    if (!trains)
      throw DataError(source.string(), fmt::format("class {} has no images to train on", data.classes[c]),
                      "Put at least one of its glitches into the part \"train\".");
  }
}

}  // namespace xf
