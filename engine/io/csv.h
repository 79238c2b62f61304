#pragma once
// Comma-separated values (RFC 4180).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xf::io {

/// A CSV file with a header line. Every row has as many fields as the header.
struct CsvTable {
  std::filesystem::path file;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  /// The line of the file that each row starts on, counted from 1, for error messages.
  std::vector<int64_t> lines;

  /// The index of the column with this name.
  [[nodiscard]] std::optional<size_t> find(std::string_view name) const;
  /// The same. Throws DataError naming the file, the column and the columns that there are.
  [[nodiscard]] size_t column(std::string_view name) const;
  /// "FILE:LINE", the subject of an error about a row.
  [[nodiscard]] std::string where(size_t row) const;
};

/// Reads quoted fields (with commas, line breaks and doubled quotes in them), LF and CRLF, with or without a
/// byte order mark; empty lines are skipped. Throws MissingInputError, or DataError with FILE:LINE.
CsvTable read_csv(const std::filesystem::path& file);

/// One line with its line feed; fields are quoted where they must be. Lines end in LF, which line tools
/// expect.
std::string csv_line(std::span<const std::string> fields);

}  // namespace xf::io
