#pragma once
// Canonical weights into the type and width that a convolution or product wants.

#include "engine/core/shape.h"
#include "kernels/cuda/weight_layout.h"

namespace xf::cuda {

/// `packed` (device memory, layout_bytes()) = `weights` (OHWI of `shape`, f32) in that layout: rounded to its
/// type, zeros behind the input channels. layout.channels is shape.c or more. Queues its work on `stream` (a
/// cudaStream_t) and returns its cudaError_t.
int pack_weights(const Shape& shape, const float* weights, const WeightLayout& layout, void* packed,
                 void* stream);

}  // namespace xf::cuda
