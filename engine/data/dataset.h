#pragma once
// What there is to learn from: images, each with a class and the glitch that it shows.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/data/duration.h"
#include "engine/data/view.h"

namespace xf {

namespace hdf5 {
class File;
}

/// The part of a split that a sample belongs to.
enum class Part : uint8_t { train, val, test };

std::string_view name(Part part);
/// "train", "val" (or "validation") or "test"; none for anything else.
std::optional<Part> parse_part(std::string_view text);

/// Where the pixels of one image are.
struct ImageSource {
  std::filesystem::path file;                        ///< an image file, or an HDF5 file
  std::string dataset = {};                          ///< of the HDF5 file
  std::shared_ptr<const hdf5::File> container = {};  ///< the HDF5 file, open; null for an image file
  /// For messages: "FILE" or "FILE:/dataset".
  [[nodiscard]] std::string where() const;
};

/// How the images of a sample become the one that a network sees (engine/data/pixels.h).
enum class Composition : uint8_t { plain, single, merged, stacked };

struct Sample {
  std::vector<ImageSource> images = {};  ///< one, or those of a view in the order of its durations
  Composition composition = Composition::plain;
  std::string name = {};                  ///< unique in the data set: what split files hold
  int32_t label = 0;                      ///< index into Dataset::classes
  std::string glitch = {};                ///< images of one glitch share it
  std::optional<Duration> duration = {};  ///< of a sample that is one image, where its name says it
  std::optional<double> gps = {};         ///< seconds, where the manifest or the metadata say it
  std::optional<Part> part = {};          ///< where the data brings its own split
};

/// What a data set is.
enum class Form : uint8_t { folder, manifest, gravity_spy };

struct Dataset {
  std::filesystem::path source = {};  ///< the folder or file that was opened
  Form form = Form::folder;
  std::vector<std::string> classes = {};   ///< sorted bytewise
  std::vector<Sample> samples = {};        ///< ordered by name, or as a manifest lists them
  std::vector<std::string> left_out = {};  ///< what lay there and is no image of a class, for a log line
  View view = {};                          ///< what its samples show of their glitches
};

/// What to do about images that cannot be used.
enum class OnBadImage : uint8_t { fail, skip };
/// Throws UsageError with the valid names.
OnBadImage parse_on_bad_image(std::string_view text);

struct OpenOptions {
  /// Nothing: every image as it is, but Gravity Spy's HDF5 layout merged.
  std::optional<View> view = {};
  /// A CSV of Gravity Spy's metadata; empty: the one that lies beside the data, if any (find_metadata()).
  std::filesystem::path metadata = {};
  /// About glitches that lack an image of the view, or are there twice: skip leaves them out, with a warning.
  OnBadImage on_bad_image = OnBadImage::fail;
};

/// Opens a folder of class folders, a CSV manifest, or an HDF5 file in Gravity Spy's layout.
///
/// Folder: each folder in it is a class, each .png, .jpg, .jpeg or .bmp file in that an image; hidden entries
/// are passed over, anything else is noted in `left_out`. A name is CLASS/FILE.
/// Manifest: columns path and label, and optionally split, id and gps; paths are relative to the manifest;
/// split is given for all rows or for none. A name is the path as listed.
/// HDF5: /LABEL/{train,validation,test}/ID/{0.5,1.0,2.0,4.0}.png; a name is the path of the dataset, or of
/// the glitch. Only its names are read.
///
/// Nothing is decoded: scan() finds images that cannot be read. Throws MissingInputError when `source` is not
/// there, DataError for a class without images, no classes, a path or a glitch listed twice, an unknown
/// split, one glitch in two classes or two parts, a glitch without all the images of the view, and as
/// join_metadata() does.
Dataset open_dataset(const std::filesystem::path& source, const OpenOptions& options = {});

/// The glitch that a file shows: its name without extension and without its duration (split_duration()), or
/// the gravityspy_id that a file of the PNG release is named for.
std::string glitch_of(std::string_view name);

/// Throws DataError unless there are two classes or more: with one there is nothing to learn.
void require_two_classes(const Dataset& data);

/// What a data set and a network do not share.
struct ClassDifference {
  std::vector<std::string> unknown;  ///< classes of the data that the network does not know
  size_t unknown_images = 0;         ///< how many images were left out for that
  std::vector<std::string> absent;   ///< classes of the network of which the data has no images
};

/// Renumbers the labels by another list of classes, that of a trained network, and takes out the images of
/// classes that it does not know. Throws DataError when nothing remains.
ClassDifference use_classes(Dataset& data, const std::vector<std::string>& classes);

/// Samples by glitch: for each class, the glitches in order of their names, each with its sample indices.
/// Every split is made of these.
struct Glitch {
  std::string id;
  std::vector<size_t> samples;
};
std::vector<std::vector<Glitch>> glitches_by_class(const Dataset& data);

/// The indices of the samples in a part.
std::vector<int64_t> samples_in(const std::vector<Part>& parts, Part part);

/// Makes the samples of a data set of single images those of the view: see View. Where no name says a
/// duration at all, the images are taken to be of the one that a view of a single duration asks for. Throws
/// DataError naming the glitches that lack one of its durations or have one twice, or, with OnBadImage::skip,
/// leaves them out with a warning each; and where a class is left without any.
void apply_view(Dataset& data, const View& view, OnBadImage on_bad_image);

/// What of each glitch is missing or there twice for a view, a line each: "a has no image of 0.5 s".
std::vector<std::string> incomplete_glitches(const Dataset& data, const View& view);

}  // namespace xf
