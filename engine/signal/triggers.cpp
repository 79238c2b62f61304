#include "engine/signal/triggers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "engine/core/error.h"
#include "engine/io/csv.h"

namespace xf {
namespace {

size_t time_column(const io::CsvTable& table) {
  for (const char* name : {"event_time", "time", "gps"})
    if (const auto column = table.find(name)) return *column;
  throw DataError(table.file.string(), "has no column \"event_time\", \"time\" or \"gps\"",
                  fmt::format("Its first line names: {}.", fmt::join(table.header, ", ")));
}

std::optional<double> parse_gps(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value) || value <= 0) return std::nullopt;
  return value;
}

}  // namespace

TriggerList read_triggers(const std::filesystem::path& file, const std::string& detector) {
  const io::CsvTable table = io::read_csv(file);
  const size_t time = time_column(table);
  const auto ifo = table.find("ifo");
  TriggerList list;
  std::map<double, size_t> seen;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    const std::vector<std::string>& fields = table.rows[row];
    if (ifo && detector != "unknown" && fields[*ifo] != detector) {
      ++list.of_other_detectors;
      continue;
    }
    const auto gps = parse_gps(fields[time]);
    if (!gps)
      throw DataError(table.where(row), fmt::format("\"{}\" is no GPS time", fields[time]),
                      "Write seconds, as 1126259462.42.");
    const auto [before, is_new] = seen.emplace(*gps, row);
    if (!is_new)
      throw DataError(table.where(row),
                      fmt::format("GPS {} is in line {} too", *gps, table.lines[before->second]),
                      "List a trigger once.");
    list.gps.push_back(*gps);
  }
  if (list.gps.empty())
    throw DataError(file.string(),
                    table.rows.empty() ? "lists no trigger" : fmt::format("lists no trigger of {}", detector),
                    "Give a list with triggers of the strain's detector.");
  std::sort(list.gps.begin(), list.gps.end());
  return list;
}

}  // namespace xf
