#pragma once
// The weight gradient of a layer whose window is one position: a matrix product.

#include <cstdint>
#include <memory>

#include "kernels/cuda/lower.h"

namespace xf::cuda {

/// dw (outputs × inputs, f32) = dyᵀ (outputs × rows) · x (rows × inputs).
struct WeightProduct {
  int64_t rows = 0, inputs = 0, outputs = 0;
};

/// The kernel of a node with operands (x, dy) → (dw). From bf16 and f16 cuBLASLt writes its f32 sums as they
/// are, where cuDNN would round them.
std::unique_ptr<Kernel> product_gradient(const Node& node, const WeightProduct& p, const Context& context);

}  // namespace xf::cuda
