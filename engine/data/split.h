#pragma once
// Which samples train, which choose the best epoch, which are kept for the final figure. All images of one
// glitch are always in the same part: its durations show the same event.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/data/dataset.h"

namespace xf {

struct SplitOptions {
  double val = 0.1, test = 0.2;  ///< fractions of each class's glitches; 0: no such part
  uint64_t seed = 0;
};

/// How many glitches of a class each part gets.
struct ClassShares {
  size_t train = 0, val = 0, test = 0;
};
/// Those of make_split(), by class; all 0 for a class without glitches. Throws as make_split().
std::vector<ClassShares> class_shares(const Dataset& data, const SplitOptions& options);

/// A split drawn class by class: a class of g glitches gives max(1, round(fraction * g)) of them to each part
/// with a fraction above 0, and keeps the rest for training. A pure function of the seed, the classes and the
/// glitch names; the order of the samples does not matter. The result has one entry a sample.
/// Throws UsageError for fractions outside 0 … 1, DataError for fewer than two classes and for a class
/// (named) that has none left for training.
std::vector<Part> make_split(const Dataset& data, const SplitOptions& options);

/// K-fold by glitch: the fold (0 … k-1) in which each sample is tested. Every glitch is in one fold; the
/// folds of a class differ by at most one glitch, and so do whole folds. A class with fewer than k glitches
/// is tested in as many folds as it has glitches. Throws UsageError for k < 2, DataError for fewer than two
/// classes and for a class (named) with a single glitch: nothing would be left to learn it from.
std::vector<int> make_folds(const Dataset& data, int k, uint64_t seed);

/// The split of one fold: its samples are tested, all others train; there is no validation part.
std::vector<Part> fold_split(const std::vector<int>& folds, int fold);

/// The split that the data brings itself, or an empty vector where it brings none.
std::vector<Part> own_split(const Dataset& data);

/// Throws DataError when a glitch is in two parts or a class has nothing to train on.
void check_split(const Dataset& data, const std::vector<Part>& parts, const std::filesystem::path& source);

}  // namespace xf
