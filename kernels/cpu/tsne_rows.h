#pragma once
// The inner loops of t-SNE: of one row of points, or of one point of a map, with all others.

#include <cstdint>
#include <vector>

namespace xf::cpu {

/// What rows of numbers are padded to: a vector of the widest instruction set.
constexpr int64_t kRowPadding = 16;
constexpr int64_t padded(int64_t count) { return (count + kRowPadding - 1) / kRowPadding * kRowPadding; }

/// out[r * out_stride + c] = |a_r - b_c|² for the first `rows` rows of a and `columns` of b, which are
/// `length` numbers each (a multiple of the padding), one after another.
void squared_distances(const float* a, int64_t rows, const float* b, int64_t columns, int64_t length,
                       float* out, int64_t out_stride);

/// Replaces `count` squared distances (a multiple of the padding) by the distribution over them, proportional
/// to exp(-b d), of the given entropy in nats. Distances of kFarAway have no share.
void distribution_of_entropy(float* distances, int64_t count, double entropy);
constexpr float kFarAway = 1e30F;

/// A map for row_forces().
struct MapRows {
  const float *x, *y, *z;  ///< padded with coordinates of kOffTheMap, aligned to the padding
  const float* points;     ///< x, y, z, 0 of each point
  int64_t count;           ///< of x, with the padding
};
constexpr float kOffTheMap = 1e18F;  // its square is finite, and 1 over that no longer counts

/// The points that one is drawn to, in ascending order.
struct Kin {
  const int32_t* other;
  const float* p;
  int64_t count;
  const uint16_t* blocks;  ///< of each 16 points in turn, a bit for each that is among them; or null
};
/// Whether the instruction set is fast with Kin::blocks; the others must be given none.
bool row_forces_take_blocks();

struct PointForces {
  float attraction[4], repulsion[3], normalisation;
};

/// Of point i, as TsneForces has them. `w` is room for map.count numbers.
void row_forces(const MapRows& map, int64_t i, const Kin& kin, float* w, PointForces& out);

}  // namespace xf::cpu
