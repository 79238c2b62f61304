#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/log.h"
#include "engine/data/class_lists.h"
#include "engine/data/release.h"
#include "engine/data/split.h"
#include "engine/data/summary.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/data_commands.h"
#include "tools/xferrun/data_options.h"

namespace xf::tool {

namespace {

struct InspectOptions {
  std::string data;
  ViewOptions view;
  bool json = false;
};

std::string_view form_name(Form form) {
  constexpr std::array<std::string_view, 3> names{"folder", "manifest", "gravity_spy_hdf5"};
  return names[static_cast<size_t>(form)];
}

/// What is not seen from the table.
struct Facts {
  size_t release_plots = 0;  ///< images named as those of the PNG release are
  size_t timed = 0;          ///< images with a GPS time
  std::string classes;
};

Facts facts_of(const Dataset& data) {
  Facts f;
  for (const Sample& s : data.samples) {
    f.release_plots += release_id(s.images.at(0).file.native()).has_value() ? 1 : 0;
    f.timed += s.gps ? 1 : 0;
  }
  f.classes = describe_classes(data.classes);
  return f;
}

nlohmann::ordered_json json_of(const Dataset& data, const std::vector<ClassSummary>& rows, bool own,
                               const Facts& facts) {
  nlohmann::ordered_json j{{"images", data.samples.size()},
                           {"form", form_name(data.form)},
                           {"release_plots", facts.release_plots},
                           {"gps_times", facts.timed},
                           {"class_list", nullptr},
                           {"classes", nlohmann::ordered_json::array()}};
  if (!facts.classes.empty()) j["class_list"] = facts.classes;
  for (const ClassSummary& c : rows) {
    nlohmann::ordered_json row{{"label", c.label}, {"images", c.images}, {"glitches", c.glitches}};
    if (own)
      row["parts"] = {{"train", c.part_images[0]}, {"val", c.part_images[1]}, {"test", c.part_images[2]}};
    j["classes"].push_back(row);
  }
  return j;
}

void print_table(const std::vector<ClassSummary>& rows, bool own) {
  size_t width = 5;
  for (const ClassSummary& c : rows) width = std::max(width, c.label.size());
  print_line(fmt::format("{:<{}} {:>8} {:>9}{}", "class", width, "images", "glitches",
                         own ? "   train     val    test" : ""));
  for (const ClassSummary& c : rows) {
    std::string line = fmt::format("{:<{}} {:>8} {:>9}", c.label, width, c.images, c.glitches);
    if (own)
      for (const size_t n : c.part_glitches) line += fmt::format(" {:>7}", n);
    print_line(line);
  }
}

void print_facts(const Dataset& data, const Facts& facts) {
  print_line(fmt::format("{} classes, {} images", data.classes.size(), data.samples.size()));
  if (data.form == Form::gravity_spy) print_line("an HDF5 file in Gravity Spy's layout");
  if (facts.release_plots > 0)
    print_line(
        fmt::format("{} images are named as Gravity Spy's PNG release names them: of a plot of 800x600 the "
                    "plot area is taken, and in a --view grey at 140x170",
                    facts.release_plots));
  if (facts.timed > 0) print_line(fmt::format("GPS times of {} images are known", facts.timed));
  if (!facts.classes.empty()) print_line("classes: " + facts.classes);
}

void run(const InspectOptions& o) {
  OpenOptions options = open_options(o.view, OnBadImage::fail);
  if (!options.view) options.view = View{};  // what there is, whether whole or not
  const Dataset data = open_dataset(o.data, options);
  for (const std::string& entry : data.left_out) log::warning("{}: is no image of a class, left out", entry);
  const std::vector<Part> own = own_split(data);
  const std::vector<ClassSummary> rows = summarize(data, own);
  const Facts facts = facts_of(data);
  if (o.json) {
    print_line(json_text(json_of(data, rows, !own.empty(), facts)));
    return;
  }
  print_table(rows, !own.empty());
  print_facts(data, facts);
}

}  // namespace

void add_data_inspect(CLI::App& parent) {
  CLI::App& command =
      add_command(parent, "inspect", "images and glitches of each class, and what the data set is",
                  "xferrun data inspect trainingsetv1d1.h5");
  const auto o = std::make_shared<InspectOptions>();
  command.add_option("data", o->data, kDataHelp)->required();
  add_view_options(command, o->view);
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
