#pragma once
// Splits in which groups of glitches stay together: glitches close in time may have one cause, and look
// alike.

#include <vector>

#include "engine/data/dataset.h"
#include "engine/data/split.h"

namespace xf {

/// Glitches that must not be parted, as indices of samples.
using GlitchGroups = std::vector<std::vector<size_t>>;

/// Groups of glitches less than `gap` seconds from the next of the group, in time. Throws DataError, naming
/// one, where glitches have no GPS time, and UsageError for a gap that is not above 0.
GlitchGroups groups_in_time(const Dataset& data, double gap);

/// As make_split(), but of whole groups: each goes where it brings the classes closest to their shares, the
/// largest groups first. Besides what make_split() throws, DataError where a part is left without glitches.
std::vector<Part> split_groups(const Dataset& data, const GlitchGroups& groups, const SplitOptions& options);

/// As make_folds(), of whole groups. A class may then miss in a fold. Throws UsageError for k < 2, DataError
/// for fewer than two classes or fewer groups than folds.
std::vector<int> fold_groups(const Dataset& data, const GlitchGroups& groups, int k, uint64_t seed);

}  // namespace xf
