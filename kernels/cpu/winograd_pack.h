#pragma once
// Weights transformed for Winograd's F(4x4, 3x3).

#include <memory>

#include "engine/run/backend.h"
#include "kernels/cpu/dnnl_layout.h"

namespace xf::cpu::winograd {

/// (canonical f32 weights) → (their transforms, in panels).
std::unique_ptr<Kernel> pack(const dnn::WinogradWeights& to);

}  // namespace xf::cpu::winograd
