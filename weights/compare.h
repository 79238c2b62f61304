#pragma once
// Two weight files, tensor by tensor: whatever layouts they are in, the same numbers are the same.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weights/import.h"

namespace xf::weights {

struct Difference {
  std::string tensor;             ///< canonical; empty for one that the network does not have
  std::string text;               ///< what differs, for people, with the tensor's name
  std::optional<double> largest;  ///< of the absolute differences of its values, where that is what differs
};

struct Comparison {
  int64_t same = 0;  ///< tensors with the same bits
  std::vector<Difference> differences;
};

/// Throws DataError when one file holds no network that is known here, or the two hold different ones.
Comparison compare(const FileInfo& a, const FileInfo& b);

}  // namespace xf::weights
