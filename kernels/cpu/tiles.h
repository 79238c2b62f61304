#pragma once
// How work is divided. Every division depends on the operands alone, never on how many threads share it, so
// results do not either.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "engine/core/threads.h"
#include "engine/run/backend.h"

namespace xf::cpu {

/// A range cut into blocks of `size`, of which the last may be shorter.
struct Blocks {
  int64_t total = 0, size = 1;
  [[nodiscard]] int64_t count() const { return (total + size - 1) / size; }
  [[nodiscard]] int64_t begin(int64_t block) const { return block * size; }
  [[nodiscard]] int64_t end(int64_t block) const { return std::min(total, (block + 1) * size); }
};

/// Blocks of rows that stay within a core's cache: about 64 Ki elements, and never so many rows that an f32
/// sum over them loses digits.
inline Blocks row_blocks(int64_t rows, int64_t channels) {
  constexpr int64_t kElements = int64_t{1} << 16, kMostRows = 512, kFewestRows = 8;
  return {rows, std::clamp(kElements / channels, kFewestRows, kMostRows)};
}

/// A rectangle of an activation seen as rows() x c.
struct Tile {
  int64_t row = 0, rows = 0, column = 0, columns = 0;
};

/// The element where a tile's row `r` starts.
template <class T>
T* at(const Ref& ref, const Tile& tile, int64_t r) {
  return ref.as<T>() + (tile.row + r) * ref.row_stride + tile.column;
}

/// Calls body(tile) for tiles that cover activations of one shape, in parallel; where none has gaps between
/// its rows, they are taken as one long row.
template <class Body>
void for_tiles(std::span<const Ref> refs, const Body& body) {
  const Shape& s = refs.begin()->spec.shape;
  const bool flat =
      std::all_of(refs.begin(), refs.end(), [&](const Ref& r) { return !r || r.row_stride == s.c; });
  if (flat) {
    const Blocks blocks{s.count(), int64_t{1} << 15};
    parallel_for(blocks.count(), [&](int64_t b) {
      body(Tile{0, 1, blocks.begin(b), blocks.end(b) - blocks.begin(b)});
    });
  } else {
    const Blocks blocks = row_blocks(s.rows(), s.c);
    parallel_for(blocks.count(), [&](int64_t b) {
      body(Tile{blocks.begin(b), blocks.end(b) - blocks.begin(b), 0, s.c});
    });
  }
}
template <class Body>
void for_tiles(std::initializer_list<Ref> refs, const Body& body) {
  for_tiles(std::span<const Ref>(refs.begin(), refs.size()), body);
}

}  // namespace xf::cpu
