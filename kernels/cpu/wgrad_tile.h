#pragma once
// The innermost loops of our own weight gradients, for processors with AVX-512: a small tile of dw, summed
// over positions while it stays in registers.
//
// Both operands are packed into panels of 32-bit units: an f32 number, or two bf16 numbers of neighbouring
// output positions, which one instruction multiplies and adds in f32.

#include <cstddef>
#include <cstdint>

#include "engine/core/dtype.h"

namespace xf::cpu::wgrad {

constexpr int kLanes = 16;  ///< units of one vector

/// Consecutive output positions of one row: where their units start in both panels.
struct Run {
  int64_t x = 0;      ///< entry of the x panel
  int64_t dy = 0;     ///< entry of the dy panel
  int64_t steps = 0;  ///< units to take from the dy panel
};

/// What a tile of dw does with what is there.
enum class Store : uint8_t { set, add };

/// Adds the products of all runs to `outputs` x (`vectors` * kLanes) numbers at `tile`. x has entries of
/// vectors * kLanes units, dy entries of `outputs` units. Each step goes on by one entry of dy and, for bf16,
/// two of x: there every column starts a pair.
using Tile = void (*)(const Run* runs, int64_t count, const uint32_t* x, const uint32_t* dy, float* tile,
                      Store store);

/// The loop for a tile size; null for those there are none for.
Tile find_tile(DType type, int outputs, int vectors);

/// How many outputs a tile of that many vectors should have, for `channels` outputs in all: the number that
/// is the fastest, with what is computed beyond the last output.
int outputs_of_tile(int vectors, int64_t channels);

/// The pixels of one row: `count` of them, `pitch` bytes apart, with `channels` numbers each.
struct Pixels {
  const std::byte* first;
  int64_t count, pitch, channels;
};

/// Entries that pack_x() makes of a row, and pack_dy().
constexpr int64_t x_entries(DType type, int64_t pixels) { return type == DType::f32 ? pixels : pixels + 1; }
constexpr int64_t dy_entries(DType type, int64_t pixels) {
  return type == DType::f32 ? pixels : (pixels + 1) / 2;
}

/// Entries of an x panel, of vectors * kLanes units with zeros behind the channels. For bf16, entry i holds
/// the pixels i - 1 and i, with zeros for those beside the row.
void pack_x(DType type, const Pixels& row, int vectors, uint32_t* entries);

/// Entries of a dy panel; for bf16, entry i holds the pixels 2i and 2i + 1, with zeros for one behind the
/// row. The channels are spread over tiles of `outputs`, whose entries lie `pitch` units apart. Writes up to
/// kLanes units beyond the last entry of each tile.
void pack_dy(DType type, const Pixels& row, int outputs, int64_t pitch, uint32_t* entries);

}  // namespace xf::cpu::wgrad
