#pragma once
// Bias, activation and its gradient, sum.
//
// Every operand is a matrix of `extent` in device memory, its elements f32, bf16 or f16 (`dtype`); the result
// may lie where an operand lies, with the same stride. The functions queue their work on `stream` (a
// cudaStream_t) and return its cudaError_t. Each element is computed alone in f32 and rounded once.

#include <span>

#include "engine/core/dtype.h"
#include "kernels/cuda/rows.h"

namespace xf::cuda {

/// y = max(x, 0); a NaN stays.
int relu(Extent extent, DType dtype, RowsIn x, RowsOut y, void* stream);

/// dx = dy where y > 0, else 0.
int relu_bwd(Extent extent, DType dtype, RowsIn dy, RowsIn y, RowsOut dx, void* stream);

/// y = x + bias; `bias` has a number for each column.
int add_bias(Extent extent, DType dtype, RowsIn x, const float* bias, RowsOut y, void* stream);

/// Terms that add() takes at most: they are parameters of one launch.
constexpr int kMostTerms = 64;

/// y = the terms' sum, from left to right.
int add(Extent extent, DType dtype, std::span<const RowsIn> terms, RowsOut y, void* stream);

}  // namespace xf::cuda
