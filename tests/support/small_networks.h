#pragma once
// Networks small enough for naive arithmetic.

#include "engine/graph/net.h"

namespace xf::test {

constexpr int kSmallClasses = 6;

/// One of everything: a residual block, a concatenation with a pooled branch and one that is used twice,
/// every pooling, dropout. Takes images of 15 x 15.
ModelOutputs small_inception(const Net& n, Value x);

/// The first block of each of ResNet-18's stages, an eighth of its channels.
ModelOutputs small_resnet(const Net& n, Value x);

}  // namespace xf::test
