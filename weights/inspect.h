#pragma once
// Everything there is to see in a weight file.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "weights/import.h"
#include "weights/listing.h"

namespace xf::weights {

/// Of a tensor's finite values.
struct Statistics {
  double least = 0, greatest = 0, mean = 0, deviation = 0;
  int64_t not_finite = 0;  ///< how many values are left out of the others
};

struct InspectedTensor {
  StoredTensor stored;
  std::string canonical;                 ///< empty for one that the network does not have
  std::optional<Statistics> statistics;  ///< nothing for what holds no numbers, or is not there
};

struct Inspection {
  FileInfo file;
  std::string md5;
  std::vector<InspectedTensor> tensors;  ///< in the file's order
  std::vector<std::string> skipped;      ///< Listing::skipped
};

/// Reads the whole file. Throws as probe() does.
Inspection inspect(const std::filesystem::path& path);

}  // namespace xf::weights
