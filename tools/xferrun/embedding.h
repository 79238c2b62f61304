#pragma once
// Images as points of a network's feature space.

#include <string>
#include <vector>

#include "engine/analyze/points.h"
#include "engine/data/loader.h"
#include "engine/train/inference.h"

namespace xf::tool {

struct Embedding {
  Points features;
  Points logits;  ///< without rows where the network was not asked for them
};

/// The results of a network compiled for a layer of vectors, and for "logits" after it or not, on every
/// sample of a loader, in its order. Throws UsageError for a layer of maps.
Embedding embed_images(Inference& network, Loader& loader);

}  // namespace xf::tool
