#include "tools/xferrun/run_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "engine/core/error.h"
#include "tools/xferrun/json_file.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

constexpr const char* kTrainAgain = "restore it, or train again";

void require(const fs::path& file, const std::string& reason, const std::string& remedy) {
  std::error_code none;
  if (!fs::exists(file, none)) throw MissingInputError(file.string(), reason, remedy);
}

/// Throws DataError where the file does not say it, or says something else.
template <class Value>
Value read_field(const nlohmann::ordered_json& object, const char* name, const fs::path& file) {
  try {
    return object.at(name).get<Value>();
  } catch (const nlohmann::json::exception&) {
    throw DataError(file.string(), fmt::format("does not say {}", name), kTrainAgain);
  }
}

bool one_a_glitch(const MeasuredRun& run) {
  std::unordered_set<std::string_view> glitches;
  return std::all_of(run.predictions.begin(), run.predictions.end(),
                     [&](const NamedPrediction& p) { return glitches.insert(p.id).second; });
}

std::vector<std::vector<std::string>> unknown_classes(const std::vector<MeasuredRun>& runs) {
  std::set<std::string> all;
  for (const MeasuredRun& run : runs) all.insert(run.classes.begin(), run.classes.end());
  std::vector<std::vector<std::string>> unknown;
  for (const MeasuredRun& run : runs) {
    const std::set<std::string> known(run.classes.begin(), run.classes.end());
    std::set_difference(all.begin(), all.end(), known.begin(), known.end(),
                        std::back_inserter(unknown.emplace_back()));
  }
  return unknown;
}

PairedOutcomes outcomes_of(const MeasuredRun& first, const MeasuredRun& second, MatchedBy by) {
  const auto key = by == MatchedBy::glitch ? &NamedPrediction::id : &NamedPrediction::path;
  std::unordered_map<std::string_view, const NamedPrediction*> of_first;
  for (const NamedPrediction& p : first.predictions) of_first.emplace(p.*key, &p);
  PairedOutcomes result;
  for (const NamedPrediction& b : second.predictions) {
    const auto found = of_first.find(b.*key);
    if (found == of_first.end()) continue;
    const NamedPrediction& a = *found->second;
    if (a.label != b.label)
      throw DataError(
          (fs::path(second.path) / "predictions.csv").string(),
          fmt::format("{} is labelled {} here and {} in {}", b.*key, b.label, a.label, first.path),
          "compare runs on data with the same labels");
    const bool a_right = a.predicted == a.label, b_right = b.predicted == b.label;
    ++(a_right ? b_right ? result.both : result.only_first : b_right ? result.only_second : result.neither);
  }
  return result;
}

}  // namespace

MeasuredRun read_measured_run(const std::string& path) {
  const fs::path run = path, config_file = run / "config.json", evaluation_file = run / "evaluation.json",
                 predictions_file = run / "predictions.csv";
  require(run, "does not exist", "give a RUN folder of fine-tune");
  require(config_file, "is not there", "give a RUN folder of fine-tune");
  require(evaluation_file, "is not there: nothing was tested",
          "give a run with a test part (fine-tune --test-fraction) that has ended");
  const auto config = read_json_object(config_file.string(), kTrainAgain);
  const auto evaluation = read_json_object(evaluation_file.string(), kTrainAgain);
  if (evaluation.contains("seeds"))
    throw MissingInputError(path, "holds a run for each seed", "give one of its seed-… folders");
  require(predictions_file, "is not there: the run is of an older version", "train again");
  MeasuredRun result;
  result.path = path;
  result.network = read_field<std::string>(config, "network", config_file);
  result.classes = read_field<std::vector<std::string>>(config, "classes", config_file);
  result.images = read_field<int64_t>(evaluation, "images", evaluation_file);
  result.top1 = read_field<double>(evaluation, "top1", evaluation_file);
  const auto interval = read_field<std::array<double, 2>>(evaluation, "top1_interval", evaluation_file);
  result.top1_low = interval[0];
  result.top1_high = interval[1];
  result.macro_f1 = read_field<double>(evaluation, "macro_f1", evaluation_file);
  result.predictions = read_predictions(predictions_file);
  if (static_cast<int64_t>(result.predictions.size()) != result.images)
    throw DataError(predictions_file.string(),
                    fmt::format("holds {} predictions where evaluation.json counts {}",
                                result.predictions.size(), result.images),
                    kTrainAgain);
  return result;
}

RunComparison compare_runs(std::vector<MeasuredRun> runs) {
  RunComparison result;
  result.matched_by =
      std::all_of(runs.begin(), runs.end(), one_a_glitch) ? MatchedBy::glitch : MatchedBy::image;
  std::vector<double> p;
  for (size_t a = 0; a < runs.size(); ++a)
    for (size_t b = a + 1; b < runs.size(); ++b) {
      PairOfRuns pair{a, b, outcomes_of(runs[a], runs[b], result.matched_by)};
      if (pair.outcomes.images() == 0)
        throw DataError(fmt::format("{} and {}", runs[a].path, runs[b].path),
                        "were tested on nothing that is the same",
                        "train both with one --split-file, and on views that both have");
      p.push_back(pair.p = mcnemar(pair.outcomes));
      result.pairs.push_back(pair);
    }
  const std::vector<double> adjusted = holm(p);
  for (size_t i = 0; i < adjusted.size(); ++i) result.pairs[i].p_holm = adjusted[i];
  result.unknown = unknown_classes(runs);
  result.runs = std::move(runs);
  return result;
}

}  // namespace xf::tool
