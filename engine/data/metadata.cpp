#include "engine/data/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/columns.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

struct Line {
  size_t row = 0;
  std::optional<double> gps;
  std::optional<Part> part;
};

std::string_view id_of(const Sample& s) {
  const std::string_view glitch = s.glitch;
  return glitch.substr(glitch.rfind('/') + 1);  // npos + 1 is 0
}

std::unordered_map<std::string_view, Line> lines_by_id(const io::CsvTable& table) {
  const size_t id = table.column("gravityspy_id");
  const Column time(table, "event_time"), type(table, "sample_type");
  std::unordered_map<std::string_view, Line> lines;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    Line line{row, read_gps(table, row, time[row]), parse_part(type[row])};
    if (!line.part && !type[row].empty())
      throw DataError(table.where(row), fmt::format("there is no sample_type \"{}\"", type[row]),
                      "Use train, validation or test.");
    const auto [it, is_new] = lines.emplace(table.rows[row][id], line);
    if (!is_new && (it->second.gps != line.gps || it->second.part != line.part))
      throw DataError(table.where(row),
                      fmt::format("id {} is there before, on line {}, with another time or part",
                                  table.rows[row][id], table.lines[it->second.row]),
                      "Keep one line of each id.");
  }
  return lines;
}

/// Logs glitches that the CSV labels otherwise.
void compare_labels(const Dataset& data, const io::CsvTable& table,
                    const std::unordered_map<std::string_view, Line>& lines) {
  const Column label(table, "label");
  std::unordered_set<std::string_view> differ;
  std::string first;
  for (const Sample& s : data.samples) {
    const auto it = lines.find(id_of(s));
    if (it == lines.end()) continue;
    const std::string_view there = label[it->second.row];
    const std::string& here = data.classes[static_cast<size_t>(s.label)];
    if (there.empty() || there == here || !differ.insert(s.glitch).second) continue;
    if (first.empty()) first = fmt::format("{} is {} there and {} here", s.glitch, there, here);
  }
  if (!differ.empty())
    log::warning("{}: {} glitches are labelled otherwise there; the data's labels count (the first: {})",
                 table.file.string(), differ.size(), first);
}

}  // namespace

fs::path find_metadata(const fs::path& source) {
  constexpr std::string_view release = "trainingset", ending = "_metadata.csv";
  fs::path whole = source.lexically_normal();
  if (whole.filename().empty()) whole = whole.parent_path();  // "glitches/"
  std::error_code none;
  const std::string stem = (fs::is_directory(source, none) ? whole.filename() : whole.stem()).string();
  std::vector<std::string> names{fmt::format("{}{}", stem, ending)};
  if (stem.starts_with(release))
    names.push_back(fmt::format("{}_{}{}", release, stem.substr(release.size()), ending));
  for (const std::string& name : names)
    if (fs::is_regular_file(whole.parent_path() / name, none)) return whole.parent_path() / name;
  return {};
}

void join_metadata(Dataset& data, const fs::path& csv) {
  const io::CsvTable table = io::read_csv(csv);
  const auto lines = lines_by_id(table);
  std::unordered_set<std::string_view> all, found, timed;
  bool all_parts = true, own_parts = false;
  for (Sample& s : data.samples) {
    all.insert(s.glitch);
    own_parts = own_parts || s.part;
    const auto it = lines.find(id_of(s));
    if (it == lines.end() || !it->second.part) all_parts = false;
    if (it == lines.end()) continue;
    found.insert(s.glitch);
    if (!it->second.gps) continue;
    s.gps = it->second.gps;
    timed.insert(s.glitch);
  }
  if (found.empty())
    throw DataError(csv.string(),
                    fmt::format("knows none of the {} glitches of {}", all.size(), data.source.string()),
                    "Name the CSV that belongs to this data; its gravityspy_id are those of the data.");
  if (all_parts && !own_parts)
    for (Sample& s : data.samples) s.part = lines.at(id_of(s)).part;
  log::info("{}: knows {} of {} glitches, the GPS times of {}{}", csv.string(), found.size(), all.size(),
            timed.size(), all_parts && !own_parts ? ", and their parts" : "");
  compare_labels(data, table, lines);
}

}  // namespace xf
