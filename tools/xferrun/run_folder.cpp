#include "tools/xferrun/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "engine/core/error.h"
#include "engine/data/split_file.h"
#include "engine/io/atomic_file.h"
#include "engine/train/calibration.h"
#include "engine/train/predictions_file.h"
#include "tools/xferrun/checkpoint_files.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/world.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

constexpr std::array kOwnFiles{"config.json",     "split.csv",        "metrics.jsonl",   "best.h5",
                               "evaluation.json", "calibration.json", "out_of_class.h5", "discovery.json",
                               "predictions.csv", "report.html"};

constexpr const char* kLock = ".lock";

bool is_run(const fs::path& path) {
  std::ifstream in(path / "config.json");
  if (!in) return false;
  const auto config = nlohmann::json::parse(in, nullptr, false);
  return config.is_object() && config.value("program", nlohmann::json()) == "xferrun";
}

/// The folder of one fold or seed of a run.
bool is_part_of_run(const fs::path& path) {
  const std::string name = path.filename().string();
  return (name.starts_with("fold-") || name.starts_with("seed-")) && is_run(path);
}

/// Removes what a run wrote there, folds and seeds included, and nothing else.
void clear_run(const fs::path& path) {
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_directory() && is_part_of_run(entry.path())) {
      clear_run(entry.path());
      fs::remove(entry.path() / kLock);
      std::error_code not_empty;
      fs::remove(entry.path(), not_empty);
    }
  for (const char* name : kOwnFiles) fs::remove(path / name);
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(path))
    if (is_checkpoint_name(entry.path().filename().string())) checkpoints.push_back(entry.path());
  for (const fs::path& file : checkpoints) fs::remove(file);
}

/// Whether nothing is in it, or only what a process leaves that was killed at once.
bool has_nothing(const fs::path& path) {
  std::error_code none;
  return std::all_of(fs::directory_iterator(path, none), fs::directory_iterator(), [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return name == kLock || (name.starts_with(".") && name.ends_with(".partial"));
  });
}

/// All of the line or, where the disk is full, nothing of it.
void append_line(const fs::path& file, const std::string& line) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) throw io::write_failure(file, errno);
  const off_t before = ::lseek(descriptor, 0, SEEK_END);
  try {
    io::write_all(descriptor, line + "\n", file);
  } catch (const WriteError&) {
    (void)!::ftruncate(descriptor, before);
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

/// Whether there are weights in it, its own or a fold's.
bool has_weights(const fs::path& path) {
  const auto has = [](const fs::path& folder) {
    return fs::exists(folder / "best.h5") || fs::exists(folder / "last.h5");
  };
  return has(path) ||
         std::any_of(fs::directory_iterator(path), fs::directory_iterator(),
                     [&](const auto& entry) { return entry.is_directory() && has(entry.path()); });
}

}  // namespace

void RunFolder::check(const fs::path& path, Replace replace) {
  if (!is_writer()) return;
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(fs::status(path, error)))
    throw OutputExistsError(path.string(), "is there already and is no folder", "choose another --out");
  if (has_nothing(path)) return;
  if (replace == Replace::no)
    throw OutputExistsError(path.string(), "exists already",
                            "choose another --out, or --force to replace an earlier run");
  if (!is_run(path))
    throw OutputExistsError(path.string(), "was not written by this program: it is not replaced",
                            "choose another --out");
}

RunFolder::RunFolder(fs::path path, Replace replace) : path_(std::move(path)) {
  check(path_, replace);
  if (!is_writer()) return;
  std::error_code error;
  made_ = fs::create_directories(path_, error);
  if (error) throw io::write_failure(path_, error.value());
  lock_.emplace(path_ / kLock);
  try {
    if (replace == Replace::yes) clear_run(path_);
  } catch (const fs::filesystem_error& e) {
    throw io::write_failure(path_, e.code().value());
  }
}

RunFolder::~RunFolder() {
  if (!is_writer()) return;
  try {
    if (has_weights(path_)) return;
    clear_run(path_);
    fs::remove(path_ / kLock);
    if (made_) fs::remove(path_);
  } catch (const fs::filesystem_error&) {
    // What cannot be removed stays; the reason why the run failed is said elsewhere.
  }
}

void RunFolder::write_config(const nlohmann::json& config) const {
  if (!is_writer()) return;
  io::write_file(path_ / "config.json", json_text(config, 2) + "\n");
}

void RunFolder::write_split(const Dataset& data, const std::vector<Part>& parts) const {
  if (!is_writer()) return;
  xf::write_split(path_ / "split.csv", data, parts);
}

void RunFolder::add_metrics(const EpochMetrics& m) const {
  if (!is_writer()) return;
  nlohmann::ordered_json line;
  line["epoch"] = m.epoch;
  line["train_loss"] = m.train_loss;
  line["train_top1"] = m.train_top1;
  const auto optional = [](const std::optional<double>& v) {
    return v ? nlohmann::ordered_json(*v) : nullptr;
  };
  line["val_loss"] = optional(m.val_loss);
  line["val_top1"] = optional(m.val_top1);
  line["val_top5"] = optional(m.val_top5);
  line["seconds"] = m.seconds;
  line["images_per_second"] = m.images_per_second;
  append_line(path_ / "metrics.jsonl", line.dump());
}

int64_t RunFolder::metrics_bytes() const {
  std::error_code none;
  const auto bytes = fs::file_size(path_ / "metrics.jsonl", none);
  return none ? 0 : static_cast<int64_t>(bytes);
}

void RunFolder::cut_metrics(int64_t bytes) const {
  if (!is_writer() || metrics_bytes() <= bytes) return;
  std::error_code error;
  fs::resize_file(path_ / "metrics.jsonl", static_cast<uintmax_t>(bytes), error);
  if (error) throw io::write_failure(path_ / "metrics.jsonl", error.value());
}

void RunFolder::write_evaluation(const nlohmann::json& evaluation) const {
  if (!is_writer()) return;
  io::write_file(path_ / "evaluation.json", json_text(evaluation, 2) + "\n");
}

void RunFolder::write_predictions(const Dataset& data, const std::vector<Prediction>& test) const {
  if (!is_writer()) return;
  xf::write_predictions(path_ / "predictions.csv", data, test);
}

void RunFolder::write_calibration(const std::vector<Prediction>& validation) const {
  const std::optional<double> temperature = fit_temperature(validation);
  if (!temperature || !is_writer()) return;
  const nlohmann::json calibration{{"temperature", *temperature}, {"images", validation.size()}};
  io::write_file(path_ / "calibration.json", json_text(calibration, 2) + "\n");
}

std::optional<double> temperature_of(const fs::path& run) {
  const fs::path file = run / "calibration.json";
  std::ifstream in(file);
  if (!in) return std::nullopt;
  const auto calibration = nlohmann::json::parse(in, nullptr, false);
  const auto number = calibration.is_object() ? calibration.find("temperature") : calibration.end();
  if (number == calibration.end() || !number->is_number() || !(number->get<double>() > 0))
    throw DataError(file.string(), "has no temperature above 0", "restore it, or remove it");
  return number->get<double>();
}

ExistingRun open_run(const fs::path& path) {
  std::error_code none;
  if (!fs::exists(path, none))
    throw MissingInputError(path.string(), "does not exist", "give a RUN folder of fine-tune");
  ExistingRun run{path, {}};
  if (!fs::exists(run.best(), none))
    throw MissingInputError(run.best().string(), "is not there",
                            "give a RUN folder in which a training has finished");
  std::ifstream in(path / "config.json");
  if (!in)
    throw MissingInputError((path / "config.json").string(), "is not there",
                            "give a RUN folder of fine-tune");
  run.config = nlohmann::json::parse(in, nullptr, false);
  if (!run.config.is_object())
    throw DataError((path / "config.json").string(), "is not a JSON object",
                    "give a RUN folder of fine-tune");
  return run;
}

nlohmann::json to_json(const Evaluation& e) {
  nlohmann::json j{{"images", e.images},      {"loss", e.loss},
                   {"top1", e.top[0]},        {"top2", e.top[1]},
                   {"top3", e.top[2]},        {"top4", e.top[3]},
                   {"top5", e.top[4]},        {"top1_interval", {e.top1.low, e.top1.high}},
                   {"macro_f1", e.macro_f1},  {"ece", e.ece},
                   {"confusion", e.confusion}};
  if (e.macro_f1_interval) j["macro_f1_interval"] = {e.macro_f1_interval->low, e.macro_f1_interval->high};
  if (e.ece_interval) j["ece_interval"] = {e.ece_interval->low, e.ece_interval->high};
  if (e.calibrated)
    j["calibrated"] = {
        {"temperature", e.calibrated->temperature}, {"ece", e.calibrated->ece}, {"loss", e.calibrated->loss}};
  j["reliability"] = nlohmann::json::array();
  for (const ReliabilityBin& bin : e.reliability)
    j["reliability"].push_back({{"low", bin.low},
                                {"high", bin.high},
                                {"images", bin.images},
                                {"confidence", bin.confidence},
                                {"accuracy", bin.accuracy}});
  j["classes"] = nlohmann::json::array();
  for (const ClassMetrics& c : e.classes)
    j["classes"].push_back({{"label", c.label},
                            {"precision", c.precision},
                            {"recall", c.recall},
                            {"f1", c.f1},
                            {"support", c.support}});
  return j;
}

std::string to_table(const Evaluation& e) {
  size_t width = 5;
  for (const ClassMetrics& c : e.classes) width = std::max(width, c.label.size());
  std::string text =
      fmt::format("{:<{}} {:>9} {:>9} {:>9} {:>8}\n", "class", width, "precision", "recall", "F1", "images");
  for (const ClassMetrics& c : e.classes)
    text += fmt::format("{:<{}} {:>9.3f} {:>9.3f} {:>9.3f} {:>8}\n", c.label, width, c.precision, c.recall,
                        c.f1, c.support);
  text += fmt::format(
      "\n{} images: top-1 {:.2f} % (95 % interval {:.2f} to {:.2f}), top-2 {:.2f}, top-3 {:.2f}, top-4 "
      "{:.2f}, top-5 {:.2f}\n",
      e.images, 100 * e.top1.value, 100 * e.top1.low, 100 * e.top1.high, 100 * e.top[1], 100 * e.top[2],
      100 * e.top[3], 100 * e.top[4]);
  const auto within = [](const std::optional<Interval>& i) {
    return i ? fmt::format(" ({:.4f} to {:.4f})", i->low, i->high) : std::string();
  };
  text += fmt::format("macro-F1 {:.4f}{}, expected calibration error {:.4f}{}, loss {:.4f}\n", e.macro_f1,
                      within(e.macro_f1_interval), e.ece, within(e.ece_interval), e.loss);
  if (e.calibrated)
    text += fmt::format(
        "with scores divided by {:.3f}, as validation asks for: calibration error {:.4f}, loss {:.4f}\n",
        e.calibrated->temperature, e.calibrated->ece, e.calibrated->loss);
  text += "\nconfusion (rows: true class, columns: predicted, in the order above)\n";
  for (size_t i = 0; i < e.classes.size(); ++i) {
    text += fmt::format("{:<{}}", e.classes[i].label, width);
    for (const int64_t n : e.confusion[i]) text += fmt::format(" {:>5}", n);
    text += '\n';
  }
  return text;
}

}  // namespace xf::tool
