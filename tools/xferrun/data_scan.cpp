#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/scan.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/data_commands.h"
#include "tools/xferrun/data_options.h"

namespace xf::tool {

namespace {

struct ScanOptions {
  std::string data;
  ViewOptions view;
  bool json = false;
};

using Groups = std::vector<std::vector<size_t>>;

nlohmann::ordered_json json_of(const Dataset& data, const Scan& found, const Groups& same,
                               const std::vector<std::string>& incomplete) {
  nlohmann::ordered_json j{{"images", data.samples.size()}};
  j["unreadable"] = nlohmann::ordered_json::array();
  for (const BadImage& b : found.bad)
    j["unreadable"].push_back({{"path", data.samples[b.sample].name}, {"reason", b.reason}});
  j["incomplete"] = incomplete;
  j["duplicates"] = nlohmann::ordered_json::array();
  for (const auto& group : same) {
    nlohmann::ordered_json paths = nlohmann::ordered_json::array();
    for (const size_t i : group) paths.push_back(data.samples[i].name);
    j["duplicates"].push_back(paths);
  }
  j["sizes"] = nlohmann::ordered_json::array();
  for (const auto& [size, count] : image_sizes(found))
    j["sizes"].push_back({{"width", size.first}, {"height", size.second}, {"images", count}});
  return j;
}

void print_lines(const Dataset& data, const Scan& found, const Groups& same,
                 const std::vector<std::string>& incomplete) {
  for (const BadImage& b : found.bad) print_line("unreadable: " + b.reason);
  for (const std::string& problem : incomplete) print_line("incomplete: " + problem);
  for (const auto& group : same) {
    std::string line = "same picture:";
    for (const size_t i : group) line += " " + data.samples[i].name;
    print_line(line);
  }
  for (const auto& [size, count] : image_sizes(found))
    print_line(fmt::format("{}x{}: {} images", size.first, size.second, count));
  print_line(fmt::format("{} images, {} unreadable, {} groups of duplicates", data.samples.size(),
                         found.bad.size(), same.size()));
}

void run(const ScanOptions& o) {
  const OpenOptions options{.view = View{}, .metadata = o.view.metadata};
  const Dataset data = open_dataset(o.data, options);
  for (const std::string& entry : data.left_out) log::warning("{}: is no image of a class, left out", entry);
  const View view = parse_view(o.view.view);
  std::vector<std::string> incomplete;
  if (view.kind != View::Kind::plain || data.form == Form::gravity_spy)
    incomplete = incomplete_glitches(data, view.kind == View::Kind::plain ? View{View::Kind::all} : view);
  const Scan found = scan(data);
  const Groups same = duplicates(found);
  if (o.json)
    print_line(json_text(json_of(data, found, same, incomplete)));
  else
    print_lines(data, found, same, incomplete);
  if (!found.bad.empty())
    throw DataError(o.data,
                    fmt::format("{} of {} images cannot be read", found.bad.size(), data.samples.size()),
                    "remove them, or train with --on-bad-image skip");
  if (!incomplete.empty())
    throw DataError(o.data,
                    fmt::format("{} glitches are incomplete: {}", incomplete.size(), incomplete.front()),
                    "add what is missing, or train with --on-bad-image skip");
}

}  // namespace

void add_data_scan(CLI::App& parent) {
  CLI::App& command = add_command(
      parent, "scan",
      "every image that cannot be read or is there twice, every glitch that lacks a duration (exit "
      "code 65 if any is unreadable or incomplete)",
      "xferrun data scan glitches/");
  const auto o = std::make_shared<ScanOptions>();
  command.add_option("data", o->data, kDataHelp)->required();
  add_view_options(command, o->view);
  command.add_flag("--json", o->json, "one JSON document");
  command.callback([o] { run(*o); });
}

}  // namespace xf::tool
