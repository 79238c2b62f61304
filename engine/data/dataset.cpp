#include "engine/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/data/sources.h"

namespace fs = std::filesystem;

namespace xf {

namespace {

/// One glitch has one class: a split is made class by class, so it could not keep such a glitch in one part.
void require_one_class_a_glitch(const Dataset& data) {
  std::unordered_map<std::string_view, const Sample*> first;
  for (const Sample& s : data.samples) {
    const auto [it, is_new] = first.emplace(s.glitch, &s);
    if (is_new || it->second->label == s.label) continue;
    throw DataError(data.source.string(),
                    fmt::format("glitch {} is labelled {} ({}) and {} ({})", s.glitch,
                                data.classes[static_cast<size_t>(it->second->label)], it->second->name,
                                data.classes[static_cast<size_t>(s.label)], s.name),
                    "Give all images of one glitch the same label, or different glitches different ids.");
  }
}

}  // namespace

std::string_view name(Part part) {
  constexpr std::array<std::string_view, 3> names = {"train", "val", "test"};
  return names[static_cast<size_t>(part)];
}

std::optional<Part> parse_part(std::string_view text) {
  if (text == "train") return Part::train;
  if (text == "val" || text == "validation") return Part::val;
  if (text == "test") return Part::test;
  return std::nullopt;
}

std::string glitch_of(std::string_view name) {
  const size_t slash = name.rfind('/');
  const size_t file = slash == std::string_view::npos ? 0 : slash + 1;
  const size_t dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > file) name = name.substr(0, dot);
  for (const std::string_view suffix : {"_0.5", "_1.0", "_2.0", "_4.0"})
    if (name.size() > file + suffix.size() && name.ends_with(suffix))
      return std::string(name.substr(0, name.size() - suffix.size()));
  return std::string(name);
}

Dataset open_dataset(const fs::path& source) {
  std::error_code error;
  const fs::file_status status = fs::status(source, error);
  if (status.type() == fs::file_type::not_found)
    throw MissingInputError(source.string(), "does not exist",
                            "Name a folder of class folders or a CSV manifest.");
  if (error) throw MissingInputError(source.string(), error.message());
  Dataset data = fs::is_directory(status) ? open_folder(source) : open_manifest(source);
  require_one_class_a_glitch(data);
  return data;
}

void require_two_classes(const Dataset& data) {
  if (data.classes.size() >= 2) return;
  throw DataError(
      data.source.string(),
      fmt::format("has one class only ({}), so there is nothing to tell apart", data.classes.at(0)),
      "Add at least one other class.");
}

void use_classes(Dataset& data, const std::vector<std::string>& classes) {
  std::vector<int32_t> renumbered;
  std::vector<std::string> unknown;
  for (const std::string& label : data.classes) {
    const auto it = std::find(classes.begin(), classes.end(), label);
    if (it == classes.end()) unknown.push_back(label);
    renumbered.push_back(static_cast<int32_t>(it - classes.begin()));
  }
  if (!unknown.empty())
    throw DataError(data.source.string(),
                    fmt::format("has classes that the network does not know: {}", fmt::join(unknown, ", ")),
                    fmt::format("The network knows: {}.", fmt::join(classes, ", ")));
  for (Sample& s : data.samples) s.label = renumbered[static_cast<size_t>(s.label)];
  data.classes = classes;
}

std::vector<std::vector<Glitch>> glitches_by_class(const Dataset& data) {
  std::vector<std::map<std::string_view, std::vector<size_t>>> sorted(data.classes.size());
  for (size_t i = 0; i < data.samples.size(); ++i)
    sorted[static_cast<size_t>(data.samples[i].label)][data.samples[i].glitch].push_back(i);
  std::vector<std::vector<Glitch>> result(data.classes.size());
  for (size_t c = 0; c < sorted.size(); ++c)
    for (auto& [id, samples] : sorted[c]) result[c].push_back({std::string(id), std::move(samples)});
  return result;
}

std::vector<int64_t> samples_in(const std::vector<Part>& parts, Part part) {
  std::vector<int64_t> result;
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i] == part) result.push_back(static_cast<int64_t>(i));
  return result;
}

}  // namespace xf
