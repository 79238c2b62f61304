#pragma once
// Which layer of a file is which layer of a model.

#include <string>
#include <string_view>
#include <vector>

#include "weights/layers.h"
#include "weights/legacy_keras.h"

namespace xf::weights {

struct MatchedLayer {
  const Layer* layer;         ///< the model's
  const StoredLayer* stored;  ///< the file's; nullptr when it has none
  std::string expected;       ///< its name in the file, or the name it would have
};

/// One entry for each of the model's layers, in their order. Layers of the same name belong together;
/// otherwise Keras's table decides (weights/tables/keras.h), and for InceptionV3 the number in the file's
/// names: its layers are numbered in creation order, whatever order layer_names has. Where numbers are left
/// out within an otherwise complete run of them, those layers are the missing ones.
std::vector<MatchedLayer> match_layers(std::string_view network, const std::vector<Layer>& layers,
                                       const LegacyFile& file);

}  // namespace xf::weights
