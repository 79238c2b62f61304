#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/split_file.h"
#include "engine/data/split_groups.h"
#include "engine/data/summary.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/data_commands.h"
#include "tools/xferrun/data_options.h"

namespace fs = std::filesystem;

namespace xf::tool {

namespace {

struct SplitCommandOptions {
  std::string data, out, metadata, on_bad_image = "fail";
  std::optional<double> val, test, gps_gap;
  std::optional<uint64_t> seed;
  int folds = 0;
  bool force = false, json = false;

  /// Whether nothing says how to split: data that has parts of its own keeps them.
  [[nodiscard]] bool as_it_is() const { return !val && !test && !gps_gap && !seed && folds == 0; }
  [[nodiscard]] SplitOptions split() const {
    const SplitOptions usual;
    return {val.value_or(usual.val), test.value_or(usual.test), seed.value_or(usual.seed)};
  }
};

/// One split and where it goes.
struct NamedSplit {
  fs::path file;
  std::vector<Part> parts;
};

/// "split.csv" of fold 2: "split-2.csv".
fs::path fold_file(const fs::path& out, int fold) {
  fs::path file = out;
  return file.replace_filename(fmt::format("{}-{}{}", out.stem().string(), fold, out.extension().string()));
}

std::vector<fs::path> files_of(const SplitCommandOptions& o) {
  if (o.folds == 0) return {o.out};
  std::vector<fs::path> files;
  for (int fold = 1; fold <= o.folds; ++fold) files.push_back(fold_file(o.out, fold));
  return files;
}

bool is_split_file(const fs::path& file) {
  std::string first;
  std::ifstream in(file);
  std::getline(in, first);
  return first == kSplitHeader;
}

void check_free(const fs::path& file, bool force) {
  std::error_code none;
  if (!fs::exists(fs::symlink_status(file, none))) return;
  if (!force)
    throw OutputExistsError(file.string(), "exists already",
                            "choose another --out, or --force to replace an earlier split");
  if (!is_split_file(file))
    throw OutputExistsError(file.string(), "is no split file: --force does not replace it",
                            "choose another --out");
}

std::vector<NamedSplit> folds_of(const SplitCommandOptions& o, const Dataset& data,
                                 const GlitchGroups& groups) {
  const uint64_t seed = o.split().seed;
  const std::vector<int> folds =
      o.gps_gap ? fold_groups(data, groups, o.folds, seed) : make_folds(data, o.folds, seed);
  std::vector<NamedSplit> splits;
  for (const fs::path& file : files_of(o))
    splits.push_back({file, fold_split(folds, static_cast<int>(splits.size()))});
  return splits;
}

std::vector<NamedSplit> splits_of(const SplitCommandOptions& o, const Dataset& data) {
  if (o.as_it_is())
    if (std::vector<Part> own = own_split(data); !own.empty()) {
      log::info("{}: its own parts are kept", o.data);
      check_split(data, own, o.data);
      return {{o.out, std::move(own)}};
    }
  GlitchGroups groups;
  if (o.gps_gap) {
    groups = groups_in_time(data, *o.gps_gap);
    log::info("--gps-gap {}: {} groups in time", *o.gps_gap, groups.size());
  }
  if (o.folds > 0) return folds_of(o, data, groups);
  return {{o.out, o.gps_gap ? split_groups(data, groups, o.split()) : make_split(data, o.split())}};
}

void print_split(const Dataset& data, const NamedSplit& split) {
  size_t width = 5;
  for (const std::string& label : data.classes) width = std::max(width, label.size());
  print_line(fmt::format("{}: glitches of each part\n{:<{}} {:>7} {:>7} {:>7}", split.file.string(), "class",
                         width, "train", "val", "test"));
  for (const ClassSummary& c : summarize(data, split.parts))
    print_line(fmt::format("{:<{}} {:>7} {:>7} {:>7}", c.label, width, c.part_glitches[0], c.part_glitches[1],
                           c.part_glitches[2]));
}

nlohmann::ordered_json json_of(const Dataset& data, const NamedSplit& split) {
  nlohmann::ordered_json j{{"file", split.file.string()}, {"classes", nlohmann::ordered_json::array()}};
  for (const ClassSummary& c : summarize(data, split.parts))
    j["classes"].push_back({{"label", c.label},
                            {"train", c.part_glitches[0]},
                            {"val", c.part_glitches[1]},
                            {"test", c.part_glitches[2]}});
  return j;
}

void run(const SplitCommandOptions& o) {
  for (const fs::path& file : files_of(o)) check_free(file, o.force);
  const Dataset data = open_dataset(
      o.data, {.view = View{}, .metadata = o.metadata, .on_bad_image = parse_on_bad_image(o.on_bad_image)});
  const std::vector<NamedSplit> splits = splits_of(o, data);
  for (const NamedSplit& split : splits) write_split(split.file, data, split.parts);
  if (o.json) {
    nlohmann::ordered_json j = nlohmann::ordered_json::array();
    for (const NamedSplit& split : splits) j.push_back(json_of(data, split));
    print_line(json_text(nlohmann::ordered_json{{"splits", j}}));
    return;
  }
  for (const NamedSplit& split : splits) print_split(data, split);
}

}  // namespace

void add_data_split(CLI::App& parent) {
  CLI::App& command = add_command(
      parent, "split",
      "split a data set class by class, all images of a glitch together, into a file for --split-file; data\n"
      "with parts of its own keeps them unless an option says how to split",
      "xferrun data split trainingsetv1d1.h5 --out split.csv --gps-gap 60");
  const auto o = std::make_shared<SplitCommandOptions>();
  command.add_option("data", o->data, kDataHelp)->required();
  command.add_option("--out", o->out, "the CSV to write: path,label,split,id")->required();
  command.add_flag("--force", o->force, "replace an earlier split in --out, and nothing else");
  auto* val = command.add_option("--val-fraction", o->val, "of each class's glitches; 0.1 by default")
                  ->check(between(0, 1));
  auto* test = command.add_option("--test-fraction", o->test, "of each class's glitches; 0.2 by default")
                   ->check(between(0, 1));
  command
      .add_option(
          "--folds", o->folds,
          "K: write K files, NAME-1.csv to NAME-K.csv for NAME.csv; each glitch is tested in one of them")
      ->check(CLI::Range(2, 1000))
      ->excludes(val)
      ->excludes(test);
  command
      .add_option("--gps-gap", o->gps_gap,
                  "seconds: glitches closer in time than that stay in one part, with those close to them")
      ->check(above_zero());
  command.add_option("--metadata", o->metadata,
                     "Gravity Spy's CSV, for the GPS times; NAME_metadata.csv beside the data is found");
  command.add_option("--on-bad-image", o->on_bad_image, "fail or skip: about glitches that are there twice")
      ->check(word_of(parse_on_bad_image))
      ->capture_default_str();
  command.add_option("--seed", o->seed, "of the split; 0 by default")->check(at_least_zero());
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
