#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/scan.h"
#include "engine/data/split.h"
#include "engine/data/summary.h"
#include "tools/xferrun/command.h"

namespace xf::tool {

namespace {

struct DataOptions {
  std::string data;
  bool json = false;
};

Dataset open(const DataOptions& o) {
  Dataset data = open_dataset(o.data);
  for (const std::string& entry : data.left_out) log::warning("{}: is no image of a class, left out", entry);
  return data;
}

void inspect(const DataOptions& o) {
  const Dataset data = open(o);
  const std::vector<Part> own = own_split(data);
  const std::vector<ClassSummary> rows = summarize(data, own);
  if (o.json) {
    nlohmann::ordered_json j{{"images", data.samples.size()}, {"classes", nlohmann::ordered_json::array()}};
    for (const ClassSummary& c : rows) {
      nlohmann::ordered_json row{{"label", c.label}, {"images", c.images}, {"glitches", c.glitches}};
      if (!own.empty())
        row["parts"] = {{"train", c.part_images[0]}, {"val", c.part_images[1]}, {"test", c.part_images[2]}};
      j["classes"].push_back(row);
    }
    print_line(json_text(j));
    return;
  }
  size_t width = 5;
  for (const ClassSummary& c : rows) width = std::max(width, c.label.size());
  print_line(fmt::format("{:<{}} {:>8} {:>9}", "class", width, "images", "glitches"));
  for (const ClassSummary& c : rows)
    print_line(fmt::format("{:<{}} {:>8} {:>9}", c.label, width, c.images, c.glitches));
  print_line(fmt::format("{} classes, {} images", rows.size(), data.samples.size()));
}

void scan_images(const DataOptions& o) {
  const Dataset data = open(o);
  const Scan found = scan(data);
  const auto same = duplicates(found);
  const auto sizes = image_sizes(found);
  if (o.json) {
    nlohmann::ordered_json j{{"images", data.samples.size()}};
    j["unreadable"] = nlohmann::ordered_json::array();
    for (const BadImage& b : found.bad)
      j["unreadable"].push_back({{"path", data.samples[b.sample].name}, {"reason", b.reason}});
    j["duplicates"] = nlohmann::ordered_json::array();
    for (const auto& group : same) {
      nlohmann::ordered_json paths = nlohmann::ordered_json::array();
      for (const size_t i : group) paths.push_back(data.samples[i].name);
      j["duplicates"].push_back(paths);
    }
    j["sizes"] = nlohmann::ordered_json::array();
    for (const auto& [size, count] : sizes)
      j["sizes"].push_back({{"width", size.first}, {"height", size.second}, {"images", count}});
    print_line(json_text(j));
  } else {
    for (const BadImage& b : found.bad) print_line("unreadable: " + b.reason);
    for (const auto& group : same) {
      std::string line = "same picture:";
      for (const size_t i : group) line += " " + data.samples[i].name;
      print_line(line);
    }
    for (const auto& [size, count] : sizes)
      print_line(fmt::format("{}x{}: {} images", size.first, size.second, count));
    print_line(fmt::format("{} images, {} unreadable, {} groups of duplicates", data.samples.size(),
                           found.bad.size(), same.size()));
  }
  if (!found.bad.empty())
    throw DataError(o.data,
                    fmt::format("{} of {} images cannot be read", found.bad.size(), data.samples.size()),
                    "remove them, or train with --on-bad-image skip");
}

void add_part(CLI::App& parent, const std::string& name, const std::string& description,
              void (*run)(const DataOptions&)) {
  CLI::App& command = add_command(parent, name, description, "xferrun data " + name + " glitches/");
  const auto o = std::make_shared<DataOptions>();
  command.add_option("data", o->data, "a folder of class folders, or a CSV manifest")->required();
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o, run] { run(*o); });
}

}  // namespace

void add_data(CLI::App& app) {
  CLI::App& command =
      add_command(app, "data", "look at a data set before training", "xferrun data scan glitches/");
  command.require_subcommand(1);
  add_part(command, "inspect", "images and glitches of each class", inspect);
  add_part(command, "scan",
           "every image that cannot be read or is there twice (exit code 65 if any is unreadable)",
           scan_images);
}

}  // namespace xf::tool
