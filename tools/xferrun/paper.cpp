// The paper's table: each network fine-tuned on the same glitches, beside what was published.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/scan.h"
#include "engine/io/atomic_file.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/fine_tune.h"
#include "tools/xferrun/loaded_model.h"
#include "tools/xferrun/seeds.h"
#include "tools/xferrun/version.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

/// Top-1 to top-5 in per cent: D. George, H. Shen and E. A. Huerta, "Classification and unsupervised
/// clustering of LIGO data with Deep Transfer Learning", Phys. Rev. D 97, 101501 (2018), table 1.
struct Published {
  const char* model;
  std::array<double, 5> top;
};
constexpr std::array kPublished{
    Published{"inception_v3", {98.84, 99.71, 99.88, 99.94, 100.00}},
    Published{"inception_v2", {98.78, 99.59, 99.71, 99.94, 100.00}},
    Published{"resnet50", {98.84, 99.71, 99.83, 99.94, 100.00}},
    Published{"vgg16", {98.15, 99.36, 99.71, 99.83, 99.88}},
    Published{"vgg19", {98.21, 99.31, 99.60, 99.71, 99.71}},
    Published{"merged_view", {96.70, 98.32, 99.13, 99.31, 99.36}},  // from scratch
};
constexpr const char* kFromScratch = "merged_view";

/// The paper's data: 22 classes and about 8500 glitches.
constexpr size_t kClasses = 22, kFewestGlitches = 7500;

struct PaperOptions {
  FineTuneOptions tuning;  ///< what all networks share
  std::vector<std::string> weights;
  std::string out;
  bool json = false;
};

struct Row {
  Published published;
  std::vector<SeedResult> results;
};

/// NETWORK=FILE of each --weights. Throws UsageError for another form, and for a network that is not the
/// paper's.
std::map<std::string, std::string> parse_weights(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> files;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::string model = text.substr(0, equals);
    const bool known = std::any_of(kPublished.begin(), kPublished.end(), [&](const Published& p) {
      return p.model == model && model != kFromScratch;
    });
    if (equals == std::string::npos || equals + 1 == text.size() || !known)
      throw UsageError("--weights " + text, "is not NETWORK=FILE",
                       "NETWORK is inception_v2, inception_v3, resnet50, vgg16 or vgg19");
    if (!files.emplace(model, text.substr(equals + 1)).second)
      throw UsageError("--weights " + text, "gives the weights of this network twice",
                       "give one file a network");
  }
  return files;
}

size_t count_glitches(const Dataset& data) {
  size_t count = 0;
  for (const auto& glitches : glitches_by_class(data)) count += glitches.size();
  return count;
}

/// What keeps these figures from being the paper's; empty where nothing does.
std::string rehearsal(const Dataset& data, size_t networks) {
  const size_t glitches = count_glitches(data);
  std::string why;
  if (data.classes.size() != kClasses || glitches < kFewestGlitches)
    why = fmt::format("{} glitches in {} classes are not the paper's data (about 8500 in 22)", glitches,
                      data.classes.size());
  if (networks < kPublished.size())
    why += fmt::format("{}{} of its six networks", why.empty() ? "" : "; ", networks);
  return why;
}

FineTuneOptions options_for(const PaperOptions& o, const Published& p,
                            const std::map<std::string, std::string>& files) {
  FineTuneOptions f = o.tuning;
  f.model = p.model;
  f.out = (fs::path(o.out) / p.model).string();
  if (const auto file = files.find(p.model); file != files.end())
    f.weights = file->second;
  else
    f.from_scratch = true;
  return f;
}

std::string to_table(const std::vector<Row>& rows) {
  std::string text = fmt::format("{:<13} {:>24} {:>7} {:>7} {:>7} {:>7}   {}\n", "network", "top-1, %",
                                 "top-2", "top-3", "top-4", "top-5", "published");
  for (const Row& row : rows) {
    const MeanOfRuns top1 = mean_top(row.results, 1);
    text += fmt::format(
        "{:<13} {:>24}", row.published.model,
        fmt::format("{:.2f} ({:.2f} to {:.2f})", 100 * top1.mean, 100 * top1.low, 100 * top1.high));
    for (size_t k = 2; k <= 5; ++k) text += fmt::format(" {:>7.2f}", 100 * mean_top(row.results, k).mean);
    text += "  ";
    for (const double published : row.published.top) text += fmt::format(" {:.2f}", published);
    text += '\n';
  }
  return text;
}

nlohmann::json to_json(const std::vector<Row>& rows, const std::string& why_rehearsal) {
  nlohmann::json j{{"rehearsal", !why_rehearsal.empty()}, {"networks", nlohmann::json::array()}};
  if (!why_rehearsal.empty()) j["why_rehearsal"] = why_rehearsal;
  for (const Row& row : rows) {
    nlohmann::json network = summary(row.results);
    network["model"] = row.published.model;
    network["published"] = row.published.top;
    j["networks"].push_back(network);
  }
  return j;
}

void write_config(const PaperOptions& o) {
  const nlohmann::json config{
      {"program", "xferrun"},         {"command", "paper"},      {"version", version_number()},
      {"built_with", version_text()}, {"data", o.tuning.data},   {"weights", o.weights},
      {"epochs", o.tuning.epochs},    {"seeds", o.tuning.seeds}, {"seed", o.tuning.seed}};
  io::write_file(fs::path(o.out) / "config.json", json_text(config, 2) + "\n");
}

void run(PaperOptions& o) {
  const std::map<std::string, std::string> files = parse_weights(o.weights);
  RunFolder::check(o.out, o.tuning.saving.resume ? Replace::resume : Replace::no);
  const Dataset data = open_images(o.tuning.data, OnBadImage::fail, o.tuning.view);
  require_two_classes(data);
  // The paper's own network sees the four durations at once, where there are several.
  Dataset merged = data;
  if (data.view.kind != View::Kind::plain) {
    ViewOptions view = o.tuning.view;
    view.view = "merged";
    merged = open_images(o.tuning.data, OnBadImage::fail, view);
  }
  std::vector<std::pair<Published, FineTuneOptions>> trainings;
  for (const Published& p : kPublished) {
    if (files.count(p.model) == 0 && std::string(p.model) != kFromScratch)
      log::warning("{}: no --weights {}=FILE, so it is left out", p.model, p.model);
    else
      trainings.emplace_back(p, options_for(o, p, files));
  }
  // Whatever is wrong with a weight file is told before the first hour of training.
  std::vector<TrainingRequest> requests;
  requests.reserve(trainings.size());
  const auto data_of = [&](const Published& p) -> const Dataset& {
    return std::string(p.model) == kFromScratch ? merged : data;
  };
  for (auto& [published, options] : trainings) {
    requests.push_back(fine_tune_request(options));
    check_view(data_of(published).view, requests.back().dialect.channels);
  }
  io::make_folder(o.out);
  write_config(o);
  std::vector<Row> rows;
  for (size_t i = 0; i < trainings.size(); ++i)
    rows.push_back(
        {trainings[i].first, train_seeds(trainings[i].second, requests[i], data_of(trainings[i].first),
                                         fmt::format("{}, ", trainings[i].first.model))});
  const std::string why = rehearsal(data, rows.size());
  const nlohmann::json result = to_json(rows, why);
  io::write_file(fs::path(o.out) / "paper.json", json_text(result, 2) + "\n");
  if (o.json) return print_line(json_text(result));
  print_line(
      to_table(rows) + (why.empty() ? "" : "\nA rehearsal: " + why + ".") +
      fmt::format("\nMeans of {} seeds, with the 95 % interval of the mean for top-1.", o.tuning.seeds));
}

}  // namespace

void add_paper(CLI::App& app) {
  CLI::App& command = add_command(
      app, "paper", "the paper's table: its networks on your glitches, beside the published figures",
      "xferrun paper --data trainingsetv1d1.h5 --view single:1.0 --weights "
      "inception_v3=inception_v3_notop.h5 "
      "--weights vgg16=vgg16_notop.h5 --out paper/");
  const auto o = std::make_shared<PaperOptions>();
  o->tuning.seeds = 5;
  o->tuning.val_fraction = 0;  // the paper's split is 80/20
  command.add_option("--data", o->tuning.data, "the glitches, as in fine-tune")->required();
  add_view_options(command, o->tuning.view);
  command
      .add_option(
          "--weights", o->weights,
          "NETWORK=FILE, one for each of inception_v2, inception_v3, resnet50, vgg16 and vgg19; one without\n"
          "is left out. merged_view is trained from scratch, as in the paper")
      ->take_all();
  command.add_option("--out", o->out, "a folder for the runs and paper.json")->required();
  command.add_option("--seeds", o->tuning.seeds, "trainings of each network")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  command.add_option("--seed", o->tuning.seed, "the first of them")
      ->check(at_least_zero())
      ->capture_default_str();
  command.add_option("--epochs", o->tuning.epochs, "passes over the training part")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--batch", o->tuning.batch, "images per step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--json", o->json, "one JSON document instead of a table");
  add_saving_options(command, o->tuning.saving);
  add_device_options(command, o->tuning.device);
  add_config_option(command);
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
