#pragma once
// --view all: several images of one glitch, one answer.

#include <vector>

#include "engine/data/dataset.h"
#include "engine/train/metrics.h"

namespace xf {

/// A prediction for each glitch: the mean of its images' probabilities, and the loss of that mean. Each names
/// the first of the glitch's images as its sample; they come in the order of these. `samples` is what
/// Prediction::sample counts.
std::vector<Prediction> mean_by_glitch(const std::vector<Prediction>& predictions,
                                       const std::vector<Sample>& samples);

}  // namespace xf
