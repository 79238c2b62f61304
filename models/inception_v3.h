#pragma once
// InceptionV3: Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision".

#include "engine/graph/net.h"
#include "models/dialect.h"

namespace xf {

/// Input 299×299×3, 2048 features. Parameters are created in the order in which Keras creates its layers.
/// Keras's dialect has no dropout before the classifier, torchvision's drops half.
ModelOutputs inception_v3(const Net& n, Value x, const Dialect& dialect, int classes);

}  // namespace xf
