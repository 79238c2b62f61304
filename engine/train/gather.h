#pragma once
// Predictions of all ranks of a training.

#include <vector>

#include "engine/dist/comm.h"
#include "engine/train/metrics.h"

namespace xf {

/// Everybody's, in the order of the ranks.
std::vector<Prediction> gather(std::vector<Prediction> mine, Comm& comm);

}  // namespace xf
