#pragma once
// Which layer of a file is which layer of a model.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/layers.h"
#include "weights/listing.h"
#include "weights/tables/keras.h"

namespace xf::weights {

/// By what a file's layers are told.
enum class Spelling : uint8_t {
  canonical,     ///< torchvision's names and Cadene's
  keras,         ///< Keras's names (weights/tables/keras.h)
  keras_v0_2,    ///< its former names of ResNet50
  numbered,      ///< Keras's running numbers in creation order: conv2d_1, batch_normalization_1, …
  by_depth,      ///< the same, numbered in the order of model.layers
  by_depth_v0_2  ///< in that of the former ResNet50
};

KerasNames keras_names(Spelling spelling);

struct MatchedLayer {
  const Layer* layer;         ///< the model's
  const StoredLayer* stored;  ///< the file's; nullptr when it has none
  std::string expected;       ///< its name in the file, or the name it would have
};

/// The spellings that a file of this format may have, for this network.
std::vector<Spelling> spellings(std::string_view network, const Listing& file);

/// One entry for each of the model's layers, in their order. Numbers may begin anywhere; where some are left
/// out within an otherwise complete run of them, those layers are the missing ones. `top`, the model's last
/// layer, is under any name the file's only fully connected layer that nothing else is.
std::vector<MatchedLayer> match_layers(std::string_view network, const std::vector<Layer>& layers,
                                       std::string_view top, const Listing& file, Spelling spelling);

/// How much of model and file is the other's, from 0 to 1: a layer counts where the spatial extents of its
/// kernel are right. Fully connected layers that only one of them has do not count against it.
double likeness(const std::vector<MatchedLayer>& matched, const std::vector<NamedShape>& shapes,
                const Listing& file);

}  // namespace xf::weights
