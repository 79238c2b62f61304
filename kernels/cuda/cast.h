#pragma once
// Changes of type.

#include "engine/core/dtype.h"
#include "kernels/cuda/rows.h"

namespace xf::cuda {

/// y = x, a matrix of `extent`, rounded to nearest, ties to even. Both types are one of f32, bf16, f16. y may
/// lie where x lies when the elements have one size. Queues its work on `stream` (a cudaStream_t) and returns
/// its cudaError_t.
int cast(Extent extent, DType from, RowsIn x, DType to, RowsOut y, void* stream);

}  // namespace xf::cuda
