#pragma once
// t-SNE (van der Maaten & Hinton, "Visualizing Data using t-SNE", JMLR 2008): a map in which points lie near
// each other that are near each other in a space of many dimensions.

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/analyze/tsne_backend.h"

namespace xf {

struct TsneOptions {
  int64_t dimensions = 3;  ///< of the map: 2 or 3
  double perplexity = 30;  ///< how many neighbours a point has, softly
  int64_t iterations = 750;
  uint64_t seed = 0;
  /// Told after every iteration; false ends the work with StoppedError.
  std::function<bool(int64_t done, int64_t total)> progress;
  /// The most points that are not approximated; above, their affinities are those to the 3 * perplexity
  /// nearest, and, where the device would need longer for all pairs, forces are Barnes & Hut's.
  int64_t most_exact = 20000;
};

/// More points than this are mapped approximately on the CPU: forces by Barnes & Hut's tree, affinities to
/// the 3 * perplexity nearest neighbours.
constexpr int64_t kTsneMostExact = 20000;

enum class TsneRepulsion : uint8_t { exact, barnes_hut };

struct TsneMap {
  std::vector<float> coordinates;  ///< (points, dimensions), row by row, centred on the origin
  double kl_divergence = 0;        ///< of all pairs where the repulsion is exact, else estimated
  TsneRepulsion repulsion = TsneRepulsion::exact;
};

/// The least number of points, and the largest perplexity that so many points can have: a third of what
/// others there are.
constexpr int64_t kTsneFewestPoints = 4;
double tsne_most_perplexity(int64_t points);

/// Maps the points. It starts from their first principal axes, drawn small, with a trace of noise from the
/// seed; the same points, options and kind of device give the same bits at any number of threads. Throws
/// UsageError for options out of range, DataError for fewer than four points or values that are not finite,
/// StoppedError.
TsneMap tsne(const Points& points, const TsneOptions& options, TsneBackend& backend);

}  // namespace xf
