#pragma once
// The arrangements that primitives want their weights in, by number: what a kernel's wants() names and a
// Pack node carries.

#include "engine/run/backend.h"
#include "kernels/cpu/dnnl_api.h"

namespace xf::cpu::dnn {

/// Whether the kernel window is turned by 180°: a convolution's data gradient is a convolution with that.
enum class Window : uint8_t { as_is, turned };

/// How to make a packed tensor from canonical f32 weights.
struct Packing {
  Shape weights;  ///< OHWI
  Window window = Window::as_is;
  Desc from;  ///< the canonical memory, in the primitive's logical dimensions
  Desc to;
};

/// The number of this packing; equal packings have equal numbers in one process.
Layout register_packing(const Packing& p);

/// Throws InternalError for a number that was not given out.
Packing packing(uint64_t id);

}  // namespace xf::cpu::dnn
