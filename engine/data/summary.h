#pragma once
// Counts of a data set, for people.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "engine/data/dataset.h"

namespace xf {

struct ClassSummary {
  std::string label;
  size_t images = 0, glitches = 0;
  /// Images and glitches of each Part (train, val, test); zeros when no split was given.
  std::array<size_t, 3> part_images{}, part_glitches{};
};

/// A line for each class, in the order of Dataset::classes. `parts` is empty or has one entry a sample.
std::vector<ClassSummary> summarize(const Dataset& data, const std::vector<Part>& parts = {});

}  // namespace xf
