#include "engine/data/split_file.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "engine/io/atomic_file.h"
#include "engine/io/csv.h"

namespace fs = std::filesystem;

namespace xf {

void write_split(const fs::path& file, const Dataset& data, const std::vector<Part>& parts) {
  std::string text = "path,label,split,id\n";
  for (size_t i = 0; i < data.samples.size(); ++i) {
    const Sample& s = data.samples[i];
    text += io::csv_line(std::array{s.name, data.classes[static_cast<size_t>(s.label)],
                                    std::string(name(parts[i])), s.glitch});
  }
  io::write_file(file, text);
}

std::vector<Part> read_split(const fs::path& file, const Dataset& data) {
  const io::CsvTable table = io::read_csv(file);
  const size_t path = table.column("path"), label = table.column("label"), split = table.column("split");
  std::unordered_map<std::string_view, size_t> sample_named;
  for (size_t i = 0; i < data.samples.size(); ++i) sample_named.emplace(data.samples[i].name, i);

  std::vector<std::optional<Part>> found(data.samples.size());
  size_t absent = 0, first_absent = 0;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    const std::vector<std::string>& fields = table.rows[row];
    const std::optional<Part> part = parse_part(fields[split]);
    if (!part)
      throw DataError(table.where(row), fmt::format("there is no split \"{}\"", fields[split]),
                      "Use train, val or test.");
    const auto it = sample_named.find(fields[path]);
    if (it == sample_named.end()) {
      if (absent++ == 0) first_absent = row;
      continue;
    }
    const std::string& own = data.classes[static_cast<size_t>(data.samples[it->second].label)];
    if (fields[label] != own)
      throw DataError(
          table.where(row),
          fmt::format("{} is labelled {} here and {} in the data", fields[path], fields[label], own),
          "Use the split file that belongs to this data.");
    if (found[it->second])
      throw DataError(table.where(row), fmt::format("{} is listed twice", fields[path]),
                      "List every image once.");
    found[it->second] = part;
  }
  if (absent > 0)
    log::warning("{}: {} of its images are not in {} (the first: {})", file.string(), absent,
                 data.source.string(), table.rows[first_absent][path]);

  std::vector<Part> parts;
  size_t unlisted = 0;
  const Sample* first_unlisted = nullptr;
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i] && unlisted++ == 0) first_unlisted = &data.samples[i];
    parts.push_back(found[i].value_or(Part::train));
  }
  if (unlisted > 0)
    throw DataError(file.string(),
                    fmt::format("says nothing of {} images of {} (the first: {})", unlisted,
                                data.source.string(), first_unlisted->name),
                    "Use the split file that belongs to this data, or add the images to it.");
  return parts;
}

}  // namespace xf
