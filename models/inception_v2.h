#pragma once
// BN-Inception, also called InceptionV2: Ioffe & Szegedy 2015, "Batch normalization: accelerating deep
// network training by reducing internal covariate shift", with the channels of its Caffe definition.

#include "engine/graph/net.h"
#include "models/dialect.h"

namespace xf {

/// Input 224×224×3, sides a multiple of 32; 1024 features. Names and maps as in Caffe: inception_3a_1x1,
/// inception_3a_1x1_bn, inception_3a_output.
ModelOutputs inception_v2(const Net& n, Value x, const Dialect& dialect, int classes);

}  // namespace xf
