#pragma once
// RUN/: what a training leaves, and what later commands read.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/data/dataset.h"
#include "engine/io/file_lock.h"
#include "engine/train/metrics.h"
#include "engine/train/trainer.h"

namespace xf::tool {

/// What may be there already: nothing, an earlier run that is removed, or one that is gone on with.
enum class Replace : uint8_t { no, yes, resume };

/// A new RUN folder. It appears when it is made, and disappears again when the work ends before there are
/// weights in it. Of several ranks the first one checks, makes and writes; the others have its path.
class RunFolder {
 public:
  /// Throws OutputExistsError (73) when something is there already and may not be replaced: with Replace::yes
  /// only the files of an earlier run are removed, and a folder that is none is refused, also to resume.
  static void check(const std::filesystem::path& path, Replace replace);
  /// Makes the folder. No other process writes there as long as this lives. Throws WriteError, and
  /// OutputExistsError where another process does.
  RunFolder(std::filesystem::path path, Replace replace);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write_config(const nlohmann::json& config) const;
  void write_split(const Dataset& data, const std::vector<Part>& parts) const;
  /// Appends a line to metrics.jsonl.
  void add_metrics(const EpochMetrics& m) const;
  /// The size of metrics.jsonl, and taking back what is behind a size that it had.
  [[nodiscard]] int64_t metrics_bytes() const;
  void cut_metrics(int64_t bytes) const;
  void write_evaluation(const nlohmann::json& evaluation) const;
  /// predictions.csv: what the best weights say of the test part (engine/train/predictions_file.h).
  void write_predictions(const Dataset& data, const std::vector<Prediction>& test) const;
  /// calibration.json: the temperature that fits the predictions of the validation part. Nothing where none
  /// does.
  void write_calibration(const std::vector<Prediction>& validation) const;
  [[nodiscard]] std::filesystem::path best() const { return path_ / "best.h5"; }
  [[nodiscard]] std::filesystem::path out_of_class() const { return path_ / "out_of_class.h5"; }

 private:
  std::filesystem::path path_;
  bool made_ = false;  ///< it was not there before
  std::optional<io::FileLock> lock_;
};

/// A RUN folder that is there. Throws MissingInputError when it or its best.h5 is not, DataError for a broken
/// config.json.
struct ExistingRun {
  std::filesystem::path path;
  nlohmann::json config;
  [[nodiscard]] std::filesystem::path best() const { return path / "best.h5"; }
  [[nodiscard]] std::filesystem::path split() const { return path / "split.csv"; }
  /// Is not there in a run with fewer than ten images that did not train.
  [[nodiscard]] std::filesystem::path out_of_class() const { return path / "out_of_class.h5"; }
};
ExistingRun open_run(const std::filesystem::path& path);

/// What RUN/calibration.json says; nothing where there is none. Throws DataError for a broken one.
std::optional<double> temperature_of(const std::filesystem::path& run);

/// `evaluate --json`, and RUN/evaluation.json.
nlohmann::json to_json(const Evaluation& e);
/// The same for people.
std::string to_table(const Evaluation& e);

}  // namespace xf::tool
