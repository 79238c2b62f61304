#pragma once
// Channels copied from one tensor to another.

#include <cstddef>

#include "kernels/cuda/rows.h"

namespace xf::cuda {

/// Copies a matrix of `extent`, elements of `element` bytes (1, 2 or 4) that stay as they are, bit for bit. x
/// and y may be slices of wider tensors, and must not overlap. Queues its work on `stream` (a cudaStream_t)
/// and returns its cudaError_t.
int copy_channels(Extent extent, size_t element, RowsIn x, RowsOut y, void* stream);

}  // namespace xf::cuda
