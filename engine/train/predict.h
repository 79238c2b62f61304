#pragma once
// What a network says of many images.

#include <functional>
#include <vector>

#include "engine/data/loader.h"
#include "engine/dist/comm_single.h"
#include "engine/train/inference.h"
#include "engine/train/metrics.h"

namespace xf {

/// Class probabilities of every sample of a loader, in the loader's order; with features and logits where
/// these are the second and third result that the network was compiled for. Where each rank's loader gives
/// its share, all get all of them. `before_batch` may end it by an exception.
std::vector<Prediction> predict(Inference& inference, Loader& loader, Comm& comm = single_comm(),
                                const std::function<void()>& before_batch = {});

}  // namespace xf
