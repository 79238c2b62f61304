// A CSV manifest: path,label[,split,id,gps].

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/data/sources.h"
#include "engine/io/csv.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

/// An optional column. An empty field counts as absent.
class Column {
 public:
  Column(const io::CsvTable& table, std::string_view name) : table_(table), index_(table.find(name)) {}
  [[nodiscard]] bool exists() const { return index_.has_value(); }
  [[nodiscard]] std::string_view operator[](size_t row) const {
    return index_ ? std::string_view(table_.rows[row][*index_]) : std::string_view();
  }

 private:
  const io::CsvTable& table_;
  std::optional<size_t> index_;
};

std::string_view required(const io::CsvTable& table, size_t row, std::string_view column) {
  const std::string_view text = table.rows[row][table.column(column)];
  if (text.empty())
    throw DataError(table.where(row), fmt::format("the {} is empty", column),
                    "Fill it in or remove the line.");
  return text;
}

std::optional<double> read_gps(const io::CsvTable& table, size_t row, std::string_view text) {
  if (text.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw DataError(table.where(row), fmt::format("\"{}\" is no GPS time", text),
                    "Give seconds as a decimal number, or leave the field empty.");
  return value;
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
  Dataset data{.source = file, .root = file.parent_path(), .classes = {}, .samples = {}, .left_out = {}};
  std::vector<std::string> labels;
  std::unordered_map<std::string, size_t> first_row;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    const fs::path listed = fs::path(required(table, row, "path")).lexically_normal();
    Sample s{.path = data.root / listed,  // an absolute path replaces the root
             .name = listed.generic_string(),
             .label = 0,
             .glitch = id[row].empty() ? glitch_of(listed.generic_string()) : std::string(id[row]),
             .gps = read_gps(table, row, gps[row]),
             .part = {}};
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
