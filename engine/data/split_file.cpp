#include "engine/data/split_file.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/data/columns.h"
#include "engine/io/atomic_file.h"
#include "engine/io/csv.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

constexpr const char* kOtherData = "Use the split file that belongs to this data.";

/// The lines of a split file, found by path or by glitch.
class SplitTable {
 public:
  explicit SplitTable(const fs::path& file)
      : table_(io::read_csv(file)),
        id_(table_, "id"),
        path_(table_.column("path")),
        label_(table_.column("label")) {
    const size_t split = table_.column("split");
    for (size_t row = 0; row < table_.rows.size(); ++row) {
      const std::vector<std::string>& fields = table_.rows[row];
      const std::optional<Part> part = parse_part(fields[split]);
      if (!part)
        throw DataError(table_.where(row), fmt::format("there is no split \"{}\"", fields[split]),
                        "Use train, val or test.");
      parts_.push_back(*part);
      if (!by_path_.emplace(fields[path_], row).second)
        throw DataError(table_.where(row), fmt::format("{} is listed twice", fields[path_]),
                        "List every image once.");
      if (!id_[row].empty()) add_id(row);
    }
  }

  /// The row of a sample. Throws DataError where it has another label.
  [[nodiscard]] std::optional<size_t> find(const Sample& sample, const std::string& label) const {
    auto it = by_path_.find(sample.name);
    if (it == by_path_.end()) {
      it = by_id_.find(sample.glitch);
      if (it == by_id_.end()) return std::nullopt;
    }
    const std::string& there = table_.rows[it->second][label_];
    if (there != label)
      throw DataError(table_.where(it->second),
                      fmt::format("{} is labelled {} here and {} in the data", sample.name, there, label),
                      kOtherData);
    return it->second;
  }

  [[nodiscard]] Part part(size_t row) const { return parts_[row]; }
  [[nodiscard]] size_t size() const { return parts_.size(); }
  [[nodiscard]] std::string_view id(size_t row) const { return id_[row]; }
  [[nodiscard]] const std::string& path(size_t row) const { return table_.rows[row][path_]; }

 private:
  /// One glitch on both sides would be learnt and then asked for.
  void add_id(size_t row) {
    const auto [it, is_new] = by_id_.emplace(id_[row], row);
    if (is_new || parts_[it->second] == parts_[row]) return;
    throw DataError(table_.where(row),
                    fmt::format("glitch {} is in {} here and in {} on line {}", id_[row], name(parts_[row]),
                                name(parts_[it->second]), table_.lines[it->second]),
                    "Put all images of one glitch into one part.");
  }

  io::CsvTable table_;
  Column id_;
  size_t path_, label_;
  std::vector<Part> parts_;
  std::unordered_map<std::string_view, size_t> by_path_, by_id_;
};

}  // namespace

void write_split(const fs::path& file, const Dataset& data, const std::vector<Part>& parts) {
  std::string text = fmt::format("{}\n", kSplitHeader);
  for (size_t i = 0; i < data.samples.size(); ++i) {
    const Sample& s = data.samples[i];
    text += io::csv_line(std::array{s.name, data.classes[static_cast<size_t>(s.label)],
                                    std::string(name(parts[i])), s.glitch});
  }
  io::write_file(file, text);
}

std::vector<Part> read_split(const fs::path& file, const Dataset& data) {
  const SplitTable table(file);
  std::vector<bool> used(table.size());
  std::unordered_set<std::string_view> glitches;
  std::vector<Part> parts;
  size_t unlisted = 0;
  const Sample* first_unlisted = nullptr;
  for (const Sample& s : data.samples) {
    glitches.insert(s.glitch);
    const std::optional<size_t> row = table.find(s, data.classes[static_cast<size_t>(s.label)]);
    if (row) used[*row] = true;
    if (!row && unlisted++ == 0) first_unlisted = &s;
    parts.push_back(row ? table.part(*row) : Part::train);
  }
  if (unlisted > 0)
    throw DataError(file.string(),
                    fmt::format("says nothing of {} images of {} (the first: {})", unlisted,
                                data.source.string(), first_unlisted->name),
                    "Use the split file that belongs to this data, or add the images to it.");
  size_t absent = 0, first_absent = 0;
  for (size_t row = 0; row < used.size(); ++row)
    if (!used[row] && !glitches.contains(table.id(row)) && absent++ == 0) first_absent = row;
  if (absent > 0)
    log::warning("{}: {} of its images are not in {} (the first: {})", file.string(), absent,
                 data.source.string(), table.path(first_absent));
  return parts;
}

}  // namespace xf
