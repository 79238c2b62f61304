#pragma once
// Our own weight gradients of convolutions.

#include <memory>

#include "engine/run/backend.h"

namespace xf::cpu::wgrad {

/// (x, dy) → (dw: OHWI, f32) of a convolution of dense NHWC activations in f32 or bf16. Null where the
/// processor lacks AVX-512 (AVX512_BF16 for bf16). The same bits on any number of threads.
std::unique_ptr<Kernel> make_kernel(const Conv2d& op, const Shape& x, const Shape& y, DType type);

}  // namespace xf::cpu::wgrad
