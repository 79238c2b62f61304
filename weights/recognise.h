#pragma once
// Which network a file holds, by its layers.

#include <cstdint>
#include <optional>
#include <string>

#include "weights/legacy_keras.h"

namespace xf::weights {

/// The network, of those known here or well known elsewhere ("vgg16", "xception"); nothing when the layers
/// are those of none.
std::optional<std::string> recognise(const LegacyFile& file);

/// The layer of the classifier; nullptr in a file without top, or with more than one layer in its place.
const StoredLayer* find_top(const LegacyFile& file);

}  // namespace xf::weights
