#pragma once
// The affinities that t-SNE keeps between points.

#include "engine/analyze/tsne_backend.h"

namespace xf {

/// p_ij = (p(j|i) + p(i|j)) / 2N of rows that each have the perplexity, among the `nearest` neighbours of
/// each point (count - 1: all). The smallest p(j|i) of a row, which are a ten-thousandth of it together at
/// most, are left out: no force of theirs would be seen, and they are most of the pairs.
TsneAffinities tsne_affinities(TsneSimilarity& similarity, int64_t points, double perplexity,
                               int64_t nearest);

/// Σ p log(p / q) over the affinities, with q = w / normalisation of the map (three rows of coordinates).
double kl_divergence(const TsneAffinities& affinities, std::span<const float> map, double normalisation);

}  // namespace xf
