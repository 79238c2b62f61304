// A CSV manifest: path,label[,split,id,gps].

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/data/columns.h"
#include "engine/data/sources.h"
#include "engine/io/csv.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

std::string_view required(const io::CsvTable& table, size_t row, std::string_view column) {
  const std::string_view text = table.rows[row][table.column(column)];
  if (text.empty())
    throw DataError(table.where(row), fmt::format("the {} is empty", column),
                    "Fill it in or remove the line.");
  return text;
}

Part read_part(const io::CsvTable& table, size_t row, std::string_view text) {
  if (const std::optional<Part> part = parse_part(text)) return *part;
  throw DataError(table.where(row),
                  text.empty() ? std::string("has no split, though other lines may")
                               : fmt::format("there is no split \"{}\"", text),
                  "Use train, val or test on every line, or leave the column out.");
}

}  // namespace

Dataset open_manifest(const fs::path& file) {
  const io::CsvTable table = io::read_csv(file);
  const Column split(table, "split"), id(table, "id"), gps(table, "gps");
  Dataset data{.source = file, .form = Form::manifest};
  std::vector<std::string> labels;
  std::unordered_map<std::string, size_t> first_row;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    const fs::path listed = fs::path(required(table, row, "path")).lexically_normal();
    const std::string name = listed.generic_string();
    const auto parts = split_duration(name);
    Sample s{.images = {{file.parent_path() / listed}},  // an absolute path replaces the folder
             .name = name,
             .glitch = id[row].empty() ? glitch_of(name) : std::string(id[row]),
             .duration = parts ? std::optional(parts->duration) : std::nullopt,
             .gps = read_gps(table, row, gps[row])};
    if (split.exists()) s.part = read_part(table, row, split[row]);
    const auto [it, is_new] = first_row.emplace(s.name, row);
    if (!is_new)
      throw DataError(table.where(row),
                      fmt::format("{} is listed before, on line {}", s.name, table.lines[it->second]),
                      "List every image once.");
    labels.emplace_back(required(table, row, "label"));
    data.samples.push_back(std::move(s));
  }
  if (data.samples.empty())
    throw DataError(file.string(), "lists no images", "Add lines of path and label below the header.");
  data.classes = labels;
  std::sort(data.classes.begin(), data.classes.end());
  data.classes.erase(std::unique(data.classes.begin(), data.classes.end()), data.classes.end());
  for (size_t i = 0; i < labels.size(); ++i)
    data.samples[i].label = static_cast<int32_t>(
        std::lower_bound(data.classes.begin(), data.classes.end(), labels[i]) - data.classes.begin());
  return data;
}

}  // namespace xf
