#pragma once
// Runs beside each other: what each made of its test part, and of what two of them were tested on.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/train/mcnemar.h"
#include "engine/train/predictions_file.h"

namespace xf::tool {

/// A run that measured its test part.
struct MeasuredRun {
  std::string path;  ///< as it was given
  std::string network;
  std::vector<std::string> classes;
  int64_t images = 0;
  double top1 = 0, top1_low = 0, top1_high = 0, macro_f1 = 0;
  std::vector<NamedPrediction> predictions;
};

/// Reads config.json, evaluation.json and predictions.csv. Throws MissingInputError for a folder that lacks
/// one or holds the runs of several seeds, DataError for files that are broken or do not go together.
MeasuredRun read_measured_run(const std::string& path);

/// What counts as the same in two runs. Glitches, where each run has one prediction for each: then the runs'
/// views may differ. Otherwise images, by their names.
enum class MatchedBy : uint8_t { glitch, image };

/// Two of the runs on what both were tested on.
struct PairOfRuns {
  size_t first = 0, second = 0;  ///< indices of the runs
  PairedOutcomes outcomes;       ///< right: the predicted class has the label's name
  double p = 1;                  ///< McNemar's
  double p_holm = 1;             ///< the same for all pairs together
};

struct RunComparison {
  std::vector<MeasuredRun> runs;
  MatchedBy matched_by = MatchedBy::glitch;
  std::vector<PairOfRuns> pairs;
  /// By run, classes of the others that its network does not know.
  std::vector<std::vector<std::string>> unknown;
};

/// Throws DataError where two runs have nothing in common, or another label for the same.
RunComparison compare_runs(std::vector<MeasuredRun> runs);

}  // namespace xf::tool
