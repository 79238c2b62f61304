#pragma once
// A split as a file (split.csv), so that a later evaluation looks at exactly the images that were kept for
// it.

#include <filesystem>
#include <string_view>
#include <vector>

#include "engine/data/dataset.h"

namespace xf {

/// The first line of a split file.
inline constexpr std::string_view kSplitHeader = "path,label,split,id";

/// Writes a line `path,label,split,id` for each sample, in the order of the data; paths are Sample::name.
/// Throws WriteError.
void write_split(const std::filesystem::path& file, const Dataset& data, const std::vector<Part>& parts);

/// Reads what write_split() wrote (id may be absent) and returns the part of each sample of the data, found
/// by its name or, where that is not listed, by its glitch: the same file serves every view of the data.
/// Lines about images that the data does not have are logged and passed over. Throws MissingInputError, and
/// DataError for a broken file, for one id in two parts, for samples that it does not list, and where it
/// gives a sample another label than the data.
std::vector<Part> read_split(const std::filesystem::path& file, const Dataset& data);

}  // namespace xf
