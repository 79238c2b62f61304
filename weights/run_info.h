#pragma once
// What this program writes into its weight files besides tensors: root attributes of the HDF5 file.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/hdf5.h"
#include "models/dialect.h"

namespace xf::weights {

struct RunInfo {
  std::string network;               ///< attribute "network": "inception_v3"
  Dialect dialect;                   ///< attribute "dialect", JSON; preprocessing is in it
  std::vector<std::string> classes;  ///< attribute "classes": names in the order of the outputs
  std::string model_id;              ///< attribute "model_id": differs as soon as one weight differs
};

/// Nothing when another program wrote the file. Throws DataError for attributes that make no sense.
std::optional<RunInfo> find_run_info(const hdf5::File& file);

/// The same of a file that this program must have written. Throws DataError when it did not.
RunInfo read_run_info(const std::filesystem::path& path);

/// Writes the attributes, and for people and other programs "preprocess" (where known) and "xferrun_version".
void write_run_info(hdf5::Writer& file, const RunInfo& info);

/// The root attribute that every file of this program has: the version that wrote it.
inline constexpr const char* kVersion = "xferrun_version";

/// The dataset attribute that holds the MD5 of the dataset's bytes.
inline constexpr const char* kChecksum = "md5";

}  // namespace xf::weights
