#pragma once
// What there is to learn from: images, each with a class and the glitch that it shows.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xf {

/// The part of a split that a sample belongs to.
enum class Part : uint8_t { train, val, test };

std::string_view name(Part part);
/// "train", "val" (or "validation") or "test"; none for anything else.
std::optional<Part> parse_part(std::string_view text);

struct Sample {
  std::filesystem::path path;  ///< the file to open
  std::string name;            ///< the same relative to Dataset::root, with slashes: what split files hold
  int32_t label = 0;           ///< index into Dataset::classes
  std::string glitch;          ///< images of one glitch share it
  std::optional<double> gps;   ///< seconds, where the manifest says it
  std::optional<Part> part;    ///< where the data brings its own split
};

struct Dataset {
  std::filesystem::path source;       ///< the folder or manifest that was opened
  std::filesystem::path root;         ///< what names are relative to
  std::vector<std::string> classes;   ///< sorted bytewise
  std::vector<Sample> samples;        ///< ordered by name (folder) or as listed (manifest)
  std::vector<std::string> left_out;  ///< what lay in the folder and is no image of a class, for a log line
};

/// Opens a folder of class folders or a CSV manifest.
///
/// Folder: each folder in it is a class, each .png, .jpg, .jpeg or .bmp file in that an image; hidden entries
/// are passed over, anything else is noted in `left_out`.
/// Manifest: columns path and label, and optionally split, id and gps; paths are relative to the manifest;
/// split is given for all rows or for none.
///
/// Nothing is decoded: scan() finds files that cannot be read. Throws MissingInputError when `source` is not
/// there, DataError for a class without images, no classes, a path listed twice, an unknown split, or one
/// glitch in two classes.
Dataset open_dataset(const std::filesystem::path& source);

/// The glitch that a file shows: its name without extension and without one of the suffixes _0.5, _1.0, _2.0,
/// _4.0, which Gravity Spy's images of one glitch over several durations differ by.
std::string glitch_of(std::string_view name);

/// Throws DataError unless there are two classes or more: with one there is nothing to learn.
void require_two_classes(const Dataset& data);

/// Renumbers the labels by another list of classes, that of a trained network. Throws DataError naming each
/// class of the data that is not in it.
void use_classes(Dataset& data, const std::vector<std::string>& classes);

/// Samples by glitch: for each class, the glitches in order of their names, each with its sample indices.
/// Every split is made of these.
struct Glitch {
  std::string id;
  std::vector<size_t> samples;
};
std::vector<std::vector<Glitch>> glitches_by_class(const Dataset& data);

/// The indices of the samples in a part.
std::vector<int64_t> samples_in(const std::vector<Part>& parts, Part part);

}  // namespace xf
