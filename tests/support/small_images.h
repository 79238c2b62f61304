#pragma once
// Images that a tiny network learns to tell apart.

#include <vector>

#include "engine/data/dataset.h"
#include "tests/support/temporary_folder.h"

namespace xf::test {

/// 8x8 pictures of three classes in turn, as files: of a class one channel is brighter.
std::vector<Sample> write_images(const TemporaryFolder& folder, int count);

}  // namespace xf::test
