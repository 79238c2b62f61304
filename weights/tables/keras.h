#pragma once
// How Keras names and orders the layers of its networks, beside the canonical (torchvision's) names.

#include <string>
#include <string_view>
#include <vector>

#include "weights/layers.h"

namespace xf::weights {

/// Keras's name of a canonical layer, in networks where it names layers by their place: "conv4_block2_1_conv"
/// for resnet50's "layer3.1.conv1". Empty where there is none. InceptionV3's layers are numbered: see below.
std::string keras_layer_name(std::string_view network, std::string_view layer);

/// A layer under its name in Keras.
struct KerasLayer {
  const Layer* layer;
  std::string name;
};

/// The layers of a model, given in their creation order, in the order of Keras's `model.layers`, which is the
/// order of depth: load_weights() goes by it and not by names. InceptionV3's layers are conv2d, conv2d_1, …
/// and batch_normalization, … in creation order, as in a fresh session. Throws InternalError when the layers
/// are not those of Keras's network.
std::vector<KerasLayer> keras_order(std::string_view network, const std::vector<Layer>& layers);

}  // namespace xf::weights
