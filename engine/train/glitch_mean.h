#pragma once
// --view all: several images of one glitch, one answer.

#include <vector>

#include "engine/data/dataset.h"
#include "engine/train/metrics.h"

namespace xf {

/// The mean of the probabilities, of the features and of the logits of one glitch's images, which have as
/// many of each; the loss is that of the mean probabilities. Sample and label are the first one's. There is
/// one at least.
Prediction mean_prediction(const std::vector<Prediction>& images);

/// The mean_prediction() of each glitch, in the order of the first of their images. `samples` is what
/// Prediction::sample counts.
std::vector<Prediction> mean_by_glitch(const std::vector<Prediction>& predictions,
                                       const std::vector<Sample>& samples);

}  // namespace xf
