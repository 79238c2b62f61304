#pragma once
// t-SNE's forces for many points: those that lie together push as one from afar (Barnes & Hut, Nature 1986;
// van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 2014), in three dimensions.

#include <memory>

#include "engine/analyze/tsne_backend.h"

namespace xf {

/// The repulsion of a cube of the map is that of its centre of mass where its edge is less than `opening` of
/// the distance; an opening below 0.57 never takes a cube for one that holds the point itself. 0 is exact.
/// The bits of results do not depend on the number of threads. The affinities must outlive it.
std::unique_ptr<TsneForceField> barnes_hut_forces(const TsneAffinities& affinities, double opening);

}  // namespace xf
