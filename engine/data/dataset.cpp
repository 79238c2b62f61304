#include "engine/data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <unordered_map>

#include "engine/core/error.h"
#include "engine/data/metadata.h"
#include "engine/data/release.h"
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

/// Images of one glitch in two parts would be seen in training and asked for in the test.
void require_one_part_a_glitch(const Dataset& data) {
  std::unordered_map<std::string_view, const Sample*> first;
  for (const Sample& s : data.samples) {
    if (!s.part) continue;
    const auto [it, is_new] = first.emplace(s.glitch, &s);
    if (is_new || it->second->part == s.part) continue;
    throw DataError(data.source.string(),
                    fmt::format("glitch {} is in {} ({}) and in {} ({})", s.glitch, name(*it->second->part),
                                it->second->name, name(*s.part), s.name),
                    "Put all images of one glitch into one part.");
  }
}

bool is_hdf5(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".h5" || extension == ".hdf5") return true;
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  std::string head(signature.size(), '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  return head == signature;
}

Dataset open_source(const fs::path& source, OnBadImage on_bad_image) {
  std::error_code error;
  const fs::file_status status = fs::status(source, error);
  if (status.type() == fs::file_type::not_found)
    throw MissingInputError(source.string(), "does not exist",
                            "Name a folder of class folders, a CSV manifest or an HDF5 file.");
  if (error) throw MissingInputError(source.string(), error.message());
  if (fs::is_directory(status)) return open_folder(source);
  return is_hdf5(source) ? open_gravity_spy(source, on_bad_image) : open_manifest(source);
}

}  // namespace

std::string ImageSource::where() const { return container ? file.string() + ":" + dataset : file.string(); }

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
  if (auto id = release_id(name)) return *std::move(id);
  if (auto parts = split_duration(name)) return std::move(parts->stem);
  const size_t slash = name.rfind('/');
  const size_t file = slash == std::string_view::npos ? 0 : slash + 1;
  const size_t dot = name.rfind('.');
  return std::string(dot != std::string_view::npos && dot > file ? name.substr(0, dot) : name);
}

OnBadImage parse_on_bad_image(std::string_view text) {
  if (text == "fail") return OnBadImage::fail;
  if (text == "skip") return OnBadImage::skip;
  throw UsageError("--on-bad-image", fmt::format("there is no \"{}\"", text), "Choose one of: fail, skip.");
}

Dataset open_dataset(const fs::path& source, const OpenOptions& options) {
  Dataset data = open_source(source, options.on_bad_image);
  require_one_class_a_glitch(data);
  const fs::path metadata = options.metadata.empty() ? find_metadata(source) : options.metadata;
  if (!metadata.empty()) join_metadata(data, metadata);
  require_one_part_a_glitch(data);
  const bool durations = data.form == Form::gravity_spy;
  apply_view(data, options.view.value_or(View{durations ? View::Kind::merged : View::Kind::plain}),
             options.on_bad_image);
  return data;
}

void require_two_classes(const Dataset& data) {
  if (data.classes.size() >= 2) return;
  throw DataError(
      data.source.string(),
      fmt::format("has one class only ({}), so there is nothing to tell apart", data.classes.at(0)),
      "Add at least one other class.");
}

ClassDifference use_classes(Dataset& data, const std::vector<std::string>& classes) {
  ClassDifference difference;
  std::vector<int32_t> renumbered;
  for (const std::string& label : data.classes) {
    const auto it = std::find(classes.begin(), classes.end(), label);
    if (it == classes.end()) difference.unknown.push_back(label);
    renumbered.push_back(it == classes.end() ? -1 : static_cast<int32_t>(it - classes.begin()));
  }
  std::vector<bool> shown(classes.size());
  for (Sample& s : data.samples) {
    s.label = renumbered[static_cast<size_t>(s.label)];
    if (s.label >= 0) shown[static_cast<size_t>(s.label)] = true;
  }
  difference.unknown_images = std::erase_if(data.samples, [](const Sample& s) { return s.label < 0; });
  for (size_t c = 0; c < classes.size(); ++c)
    if (!shown[c]) difference.absent.push_back(classes[c]);
  if (data.samples.empty())
    throw DataError(data.source.string(),
                    fmt::format("has no images of classes that the network knows: it has {}",
                                fmt::join(data.classes, ", ")),
                    fmt::format("The network knows: {}.", fmt::join(classes, ", ")));
  data.classes = classes;
  return difference;
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
