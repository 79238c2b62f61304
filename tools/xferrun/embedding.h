#pragma once
// Images as points of a network's feature space.

#include <string>
#include <vector>

#include "engine/analyze/features_file.h"
#include "engine/data/loader.h"
#include "engine/train/inference.h"
#include "engine/train/metrics.h"

namespace xf::tool {

struct Embedding {
  Points features;
  Points logits;  ///< without rows where the network was not asked for them
};

/// The results of a network compiled for a layer of vectors, and for "logits" after it or not, on every
/// sample of a loader, in its order. Throws UsageError for a layer of maps.
Embedding embed_images(Inference& network, Loader& loader);

/// A data set's images with their features, as the command `features` would leave them: ids, labels, paths
/// and, where known, GPS times.
FeaturesFile features_file(const Dataset& data, Points features);

/// What a network is asked for so that predict() gives features and logits beside the probabilities.
std::vector<std::string> prediction_results();
/// Those as points, a prediction each.
Points features_of(const std::vector<Prediction>& predictions);
Points logits_of(const std::vector<Prediction>& predictions);

}  // namespace xf::tool
