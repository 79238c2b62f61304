#pragma once
// The forms in which data sets come. Use open_dataset(), which tells them apart and checks the result.

#include <filesystem>
#include <span>
#include <string>

#include "engine/data/dataset.h"

namespace xf {

Dataset open_folder(const std::filesystem::path& folder);
Dataset open_manifest(const std::filesystem::path& file);
/// Gravity Spy's HDF5 layout: every image a sample.
Dataset open_gravity_spy(const std::filesystem::path& file, OnBadImage on_bad_image);

/// Nothing without problems. fail: throws DataError about `source` with the first of them and their number;
/// skip: logs each.
void settle_problems(OnBadImage on_bad_image, const std::filesystem::path& source,
                     std::span<const std::string> problems, const std::string& remedy);

}  // namespace xf
