#pragma once
// Trainings that differ in their seed alone: how much of a figure is luck.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/train/bootstrap.h"
#include "engine/train/metrics.h"

namespace xf::tool {

struct SeedResult {
  uint64_t seed = 0;
  int best_epoch = 0;
  Evaluation evaluation;  ///< of the test part; without images where there is none
};

/// Means over the seeds with their 95 % intervals (Student's t): evaluation.json of `fine-tune --seeds`.
nlohmann::json summary(const std::vector<SeedResult>& results);
/// The same for people, a line a seed.
std::string to_table(const std::vector<SeedResult>& results);

/// The mean of top-k accuracy over the seeds, k from 1 to 5.
MeanOfRuns mean_top(const std::vector<SeedResult>& results, size_t k);

}  // namespace xf::tool
