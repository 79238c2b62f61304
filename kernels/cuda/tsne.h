#pragma once
// What t-SNE computes for all pairs of points, as engine/analyze/tsne_backend.h says. All numbers are f32;
// all pointers device memory.

#include <cstddef>
#include <cstdint>

namespace xf::cuda {

// Each queues its work on `stream` (a cudaStream_t) and returns the first cudaError_t that is not 0. The bits
// of the results depend on shapes alone.

/// Rows of `dims` numbers, one a point.
struct TsnePoints {
  int64_t count = 0, dims = 0;
  const float* values = nullptr;
};

/// squares[r * count + j] = |x_i - x_j|² for the points i = first + r of `rows` rows and all j.
int tsne_distances(const TsnePoints& points, int64_t first, int64_t rows, float* squares, void* stream);

/// Rows of squared distances to all `points`, of the points `first` onwards.
struct TsneRows {
  int64_t first = 0, rows = 0, points = 0;
  int64_t nearest = 0;  ///< how many of the others have a share
  float entropy = 0;    ///< of every row, in nats
  float* values = nullptr;
};
/// Replaces each row by p(j|i).
int tsne_conditional(const TsneRows& rows, void* stream);

/// A map (three rows of `points` coordinates), its points' affinities as TsneAffinities has them, and what
/// becomes of them: attraction and repulsion as the map, and each point's part of the normalisation.
struct TsneMapForces {
  int64_t points = 0;
  const float* map = nullptr;
  const int64_t* begin = nullptr;
  const int32_t* other = nullptr;
  const float* p = nullptr;
  float *attraction = nullptr, *repulsion = nullptr, *normalisation = nullptr;
};
/// Bytes of temporary memory that tsne_forces() takes.
size_t tsne_forces_workspace(int64_t points);
int tsne_forces(const TsneMapForces& t, void* workspace, void* stream);

}  // namespace xf::cuda
