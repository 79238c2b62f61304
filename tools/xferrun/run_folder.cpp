#include "tools/xferrun/run_folder.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>

#include "engine/core/error.h"
#include "engine/data/split_file.h"
#include "engine/io/atomic_file.h"
#include "engine/train/calibration.h"
#include "tools/xferrun/command.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

constexpr std::array kOwnFiles{"config.json",     "split.csv",        "metrics.jsonl",   "best.h5",
                               "evaluation.json", "calibration.json", "out_of_class.h5", "discovery.json"};

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
      std::error_code not_empty;
      fs::remove(entry.path(), not_empty);
    }
  for (const char* name : kOwnFiles) fs::remove(path / name);
}

/// All of the line or, where the disk is full, nothing of it.
void append_line(const fs::path& file, const std::string& line) {
  std::error_code none;
  const auto before = fs::exists(file, none) ? fs::file_size(file) : 0;
  const std::string text = line + "\n";
  const std::unique_ptr<FILE, int (*)(FILE*)> out(std::fopen(file.c_str(), "a"), std::fclose);
  if (out && std::fwrite(text.data(), 1, text.size(), out.get()) == text.size() &&
      std::fflush(out.get()) == 0)
    return;
  const int error = errno;
  fs::resize_file(file, before, none);
  throw io::write_failure(file, error);
}

/// Whether there are weights in it, its own or a fold's.
bool has_weights(const fs::path& path) {
  if (fs::exists(path / "best.h5")) return true;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_directory() && fs::exists(entry.path() / "best.h5")) return true;
  return false;
}

}  // namespace

void RunFolder::check(const fs::path& path, Replace replace) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(fs::status(path, error)))
    throw OutputExistsError(path.string(), "is there already and is no folder", "choose another --out");
  if (fs::is_empty(path, error) && !error) return;
  if (replace == Replace::no)
    throw OutputExistsError(path.string(), "exists already",
                            "choose another --out, or --force to replace an earlier run");
  if (!is_run(path))
    throw OutputExistsError(path.string(), "was not written by this program: it is not replaced",
                            "choose another --out");
}

RunFolder::RunFolder(fs::path path, Replace replace) : path_(std::move(path)) {
  check(path_, replace);
  std::error_code error;
  made_ = fs::create_directories(path_, error);
  if (error) throw io::write_failure(path_, error.value());
  try {
    if (replace == Replace::yes) clear_run(path_);
  } catch (const fs::filesystem_error& e) {
    throw io::write_failure(path_, e.code().value());
  }
}

RunFolder::~RunFolder() {
  try {
    if (has_weights(path_)) return;
    clear_run(path_);
    if (made_) fs::remove(path_);
  } catch (const fs::filesystem_error&) {
    // What cannot be removed stays; the reason why the run failed is said elsewhere.
  }
}

void RunFolder::write_config(const nlohmann::json& config) const {
  io::write_file(path_ / "config.json", json_text(config, 2) + "\n");
}

void RunFolder::write_split(const Dataset& data, const std::vector<Part>& parts) const {
  xf::write_split(path_ / "split.csv", data, parts);
}

void RunFolder::add_metrics(const EpochMetrics& m) const {
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

void RunFolder::write_evaluation(const nlohmann::json& evaluation) const {
  io::write_file(path_ / "evaluation.json", json_text(evaluation, 2) + "\n");
}

void RunFolder::write_calibration(const std::vector<Prediction>& validation) const {
  const std::optional<double> temperature = fit_temperature(validation);
  if (!temperature) return;
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
