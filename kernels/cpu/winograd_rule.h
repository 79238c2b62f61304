#pragma once
// Which convolutions are computed by Winograd's F(4x4, 3x3), and which directly: a rule over shape and
// instruction set, so that a plan is the same on every machine of a kind. It follows the rows of
//   bench-ops --device cpu --each-way --op 'conv2d*'
// at batches of 1, 4 and 16, on AVX-512 and AVX2 (benchmarks/README.md has some of them):
//
// - With AVX-512, 16 channels to 16 are faster directly (by a tenth to a quarter): the transforms cost more
//   than the multiplications that they save. From 64 channels in both together on, Winograd is faster by 1.1
//   to 1.6, from 128 on by 1.5 to 2.9. With AVX2, where multiplying is slower, it is so from 16 to 16
//   channels on.
// - Tiles compute 16 positions. Where the map's border wastes more than half of them (maps of 5x5, 2x2 and
//   1x1), direct is faster, by up to a quarter.
// - The weights' transforms, four times their size, have to be read, and their gradient's written: under 16
//   tiles in a batch (one image of a 7x7 map has four) this costs more than is saved, up to the half in the
//   weights' gradient.
//
// All three directions, and one and two threads, have the same limits.

#include "kernels/cpu/lower.h"

namespace xf::cpu::winograd {

/// Whether a convolution of x to y, and its gradients, are computed by winograd.h.
bool chosen(const Conv2d& op, const Shape& x, const Shape& y, DType type, const Context& context);

}  // namespace xf::cpu::winograd
