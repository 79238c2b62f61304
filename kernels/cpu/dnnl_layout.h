#pragma once
// The arrangements that convolutions and products want their weights in, by number: what a kernel's wants()
// names and a Pack node carries.

#include <variant>

#include "engine/run/backend.h"
#include "kernels/cpu/dnnl_api.h"
#include "kernels/cpu/winograd_tiles.h"

namespace xf::cpu::dnn {

/// Whether the kernel window is turned by 180°: a convolution's data gradient is a convolution with that.
enum class Window : uint8_t { as_is, turned };

/// For a primitive: how to make a packed tensor from canonical f32 weights.
struct Packing {
  Shape weights;  ///< OHWI
  Window window = Window::as_is;
  Desc from;  ///< the canonical memory, in the primitive's logical dimensions
  Desc to;
};

/// For a convolution by winograd.h: which weights to transform.
struct WinogradWeights {
  Shape weights;  ///< OHWI
  Window window = Window::as_is;
  [[nodiscard]] winograd::Panels panels() const {
    const int64_t in = weights.c, out = weights.n;
    return window == Window::as_is ? winograd::Panels{out / winograd::kGroup, in}
                                   : winograd::Panels{in / winograd::kGroup, out};
  }
};

using Arrangement = std::variant<Packing, WinogradWeights>;

/// The number of this arrangement; equal ones have equal numbers in one process.
Layout register_packing(const Arrangement& a);
inline Layout register_packing(const Packing& p) { return register_packing(Arrangement(p)); }

/// Throws InternalError for a number that was not given out.
Arrangement packing(uint64_t id);

}  // namespace xf::cpu::dnn
