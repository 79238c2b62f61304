#pragma once
// Lists of triggers: what a search found in the strain, at which times.

#include <filesystem>
#include <string>
#include <vector>

namespace xf {

struct TriggerList {
  std::vector<double> gps;        ///< ascending
  size_t of_other_detectors = 0;  ///< rows left out
};

/// Reads a CSV file with a column of GPS times: `event_time` (Gravity Spy's tables), `time` (Omicron's) or
/// `gps`, the first of these that it has. Where there is a column `ifo` and `detector` is not "unknown", rows
/// of other detectors are left out. Throws MissingInputError, or DataError for other columns, a time that is
/// none or is listed twice, and where no row is left.
TriggerList read_triggers(const std::filesystem::path& file, const std::string& detector);

}  // namespace xf
