#pragma once
// How Keras names and orders the layers of its networks, beside the canonical names (torchvision's).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weights/layers.h"

namespace xf::weights {

/// Two generations of ResNet50 have other names: the current one (keras-applications), and that of
/// deep-learning-models v0.2, whose normalisations have another epsilon too (1e-3).
enum class KerasNames : uint8_t { current, v0_2 };

/// Whether Keras, or in the merged-view network's case its authors in Keras, defined a network.
bool keras_has(std::string_view network);

/// Keras's name of a canonical layer, in networks where it names layers by their place: "conv4_block2_1_conv"
/// (or "res4b_branch2a") for resnet50's "layer3.1.conv1", "block5_conv3" for vgg16's "features.28". Empty
/// where there is none. The layers of InceptionV3 and of the merged-view network are numbered: see below.
std::string keras_layer_name(std::string_view network, std::string_view layer, KerasNames names);

/// A layer under its name in Keras.
struct KerasLayer {
  const Layer* layer;
  std::string name;
};

/// The layers of a model, given in their creation order, in the order of Keras's `model.layers`, which is the
/// order of depth: load_weights() goes by it and not by names. Numbered layers are conv2d, conv2d_1, …,
/// batch_normalization, … and dense, … in creation order, as in a fresh session. Throws InternalError when
/// the layers are not those of Keras's network.
std::vector<KerasLayer> keras_order(std::string_view network, const std::vector<Layer>& layers,
                                    KerasNames names);

}  // namespace xf::weights
