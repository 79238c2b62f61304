#pragma once
// What the command `features` leaves: one vector an image, and what is known of the images.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/analyze/points.h"

namespace xf {

/// Every list has one entry an image, or none at all where the file does not say it.
struct FeaturesFile {
  std::filesystem::path path;
  Points features;
  std::vector<std::string> ids;      ///< glitch: its images share it
  std::vector<std::string> labels;   ///< class
  std::vector<std::string> paths;    ///< name in the data set
  std::vector<std::string> splits;   ///< "train", "val" or "test"
  std::vector<double> gps;           ///< seconds; NaN: unknown
  Points logits;                     ///< of the network's classifier; dims is 0 without one
  std::vector<std::string> classes;  ///< of the logits
  std::string network;               ///< registry name; empty: unknown
  std::string weights;               ///< id of the weights; empty: unknown
  std::string layer;                 ///< of the network; empty: unknown
  std::string view;                  ///< what the images show of their glitches; empty: unknown
};

/// Reads all of a features file. Throws MissingInputError when it is not there; DataError when it is no HDF5
/// file, has no /features, holds maps instead of vectors, values that are not finite, or lists of other
/// lengths.
FeaturesFile read_features_file(const std::filesystem::path& path);

/// Attributes of the root group that say which network made the features.
inline constexpr const char* kFeaturesNetwork = "network";
inline constexpr const char* kFeaturesWeights = "weights";
inline constexpr const char* kFeaturesLayer = "layer";
inline constexpr const char* kFeaturesView = "view";

}  // namespace xf
