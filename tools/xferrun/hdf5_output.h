#pragma once
// HDF5 files that a command writes to --out.

#include <string>

namespace xf::tool {

/// What such files are, and how they are told from others.
struct OutputKind {
  const char* attribute;  ///< of the root group, in every file of the kind
  std::string what;       ///< "features"
  std::string writer;     ///< "this command"
};

/// Throws OutputExistsError where `out` is there, unless `force` allows to replace it and it is of the kind.
void check_output(const std::string& out, bool force, const OutputKind& kind);

}  // namespace xf::tool
