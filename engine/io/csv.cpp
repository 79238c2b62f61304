#include "engine/io/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "engine/core/error.h"

namespace xf::io {
namespace {

std::string whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored)) {
    const std::string why = in ? "is a folder" : std::generic_category().message(errno);
    throw MissingInputError(file.string(), "cannot be read: " + why, "Name a CSV file.");
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Walks over the text, one record a call.
class Records {
 public:
  Records(const std::filesystem::path& file, std::string_view text) : file_(file), text_(text) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  [[nodiscard]] int64_t line() const { return line_; }

  /// Steps over an empty line.
  bool blank() {
    if (!skip("\r\n") && !skip("\n") && !skip("\r")) return false;
    ++line_;
    return true;
  }

  std::vector<std::string> next() {
    std::vector<std::string> fields;
    do fields.push_back(field());
    while (skip(","));
    if (!blank() && !done()) {
      fail("a closing quote is followed by more text", "Double the quotes inside a quoted field.");
    }
    return fields;
  }

 private:
  bool skip(std::string_view what) {
    if (text_.substr(at_, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }

  std::string field() {
    if (!skip("\"")) {
      const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
      std::string plain(text_.substr(at_, end - at_));
      at_ = end;
      return plain;
    }
    std::string quoted;
    const int64_t first = line_;
    for (;;) {
      if (done()) {
        line_ = first;
        fail("a quoted field is never closed", "Close it, or double the quotes inside it.");
      }
      if (skip("\"\"")) {
        quoted += '"';
      } else if (skip("\"")) {
        return quoted;
      } else {
        if (text_[at_] == '\n') ++line_;
        quoted += text_[at_++];
      }
    }
  }

  [[noreturn]] void fail(const std::string& reason, const std::string& remedy) const {
    throw DataError(fmt::format("{}:{}", file_.string(), line_), reason, remedy);
  }

  const std::filesystem::path& file_;
  std::string_view text_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

std::optional<size_t> CsvTable::find(std::string_view name) const {
  const auto it = std::find(header.begin(), header.end(), name);
  if (it == header.end()) return std::nullopt;
  return static_cast<size_t>(it - header.begin());
}

size_t CsvTable::column(std::string_view name) const {
  if (const auto index = find(name)) return *index;
  throw DataError(file.string(), fmt::format("has no column \"{}\"", name),
                  fmt::format("Its first line names: {}.", fmt::join(header, ", ")));
}

std::string CsvTable::where(size_t row) const { return fmt::format("{}:{}", file.string(), lines.at(row)); }

CsvTable read_csv(const std::filesystem::path& file) {
  const std::string text = whole(file);
  CsvTable table;
  table.file = file;
  Records records(file, text);
  while (!records.done()) {
    if (records.blank()) continue;
    const int64_t line = records.line();
    std::vector<std::string> fields = records.next();
    if (table.header.empty()) {
      table.header = std::move(fields);
      continue;
    }
    if (fields.size() != table.header.size()) {
      throw DataError(fmt::format("{}:{}", file.string(), line),
                      fmt::format("{} fields where the header has {}", fields.size(), table.header.size()),
                      "Quote fields that hold commas.");
    }
    table.rows.push_back(std::move(fields));
    table.lines.push_back(line);
  }
  if (table.header.empty()) {
    throw DataError(file.string(), "is empty", "The first line must name the columns.");
  }
  return table;
}

std::string csv_line(std::span<const std::string> fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    // A lone empty field would read back as an empty line.
    const bool lone = fields.size() == 1 && fields[i].empty();
    if (!lone && fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) line.append(c == '"' ? 2 : 1, c);
    line += '"';
  }
  return line + '\n';
}

}  // namespace xf::io
