#pragma once
// VGG: Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition".

#include <array>

#include "engine/graph/net.h"
#include "models/dialect.h"

namespace xf {

enum class HasNorm : uint8_t { no, yes };

struct VggPlan {
  std::array<int, 5> depth;  ///< 3×3 convolutions in each of the five blocks
  HasNorm norm;              ///< whether batch normalisation follows each (torchvision's vgg…_bn)
};

/// Input 224×224×3, a multiple of 32 at least. 4096 features, of the second fully connected layer; with the
/// dialect's pool head, 512: the mean of the last map. torchvision's dialect drops half after each fully
/// connected layer, Keras's nothing. Maps have Keras's names: block1_conv1 … block5_pool.
ModelOutputs vgg(const Net& n, Value x, const Dialect& dialect, int classes, const VggPlan& plan);

}  // namespace xf
