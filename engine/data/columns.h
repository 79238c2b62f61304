#pragma once
// Columns of a CSV about images.

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "engine/core/error.h"
#include "engine/io/csv.h"

namespace xf {

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

/// A GPS time in seconds; none for an empty field. Throws DataError, naming the line, for anything else.
inline std::optional<double> read_gps(const io::CsvTable& table, size_t row, std::string_view text) {
  if (text.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw DataError(table.where(row), fmt::format("\"{}\" is no GPS time", text),
                    "Give seconds as a decimal number, or leave the field empty.");
  return value;
}

}  // namespace xf
