#pragma once
// The forms in which data sets come. Use open_dataset(), which tells them apart and checks the result.

#include <filesystem>

#include "engine/data/dataset.h"

namespace xf {

Dataset open_folder(const std::filesystem::path& folder);
Dataset open_manifest(const std::filesystem::path& file);

}  // namespace xf
