#pragma once
// Between bf16 or f16 and f32, around library calls that want both sides in one type.

#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cuda {

/// `count` elements of `from` (of type `dtype`) as f32. Queued on `stream` (a cudaStream_t); returns CUDA's
/// status, as the others do.
int widen(const void* from, DType dtype, float* to, int64_t count, void* stream);

/// to[r][c] = act(from[r][c] + bias[c]), rounded once to `dtype`; `bias` may be null.
struct Narrowing {
  const float* from = nullptr;
  const float* bias = nullptr;
  void* to = nullptr;
  DType dtype = DType::bf16;
  int64_t rows = 0;
  int channels = 0;
  Activation act = Activation::none;
};
int narrow(const Narrowing& n, void* stream);

}  // namespace xf::cuda
