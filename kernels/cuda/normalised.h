#pragma once
// The one formula that a batch normalisation and its gradient have to agree on, bit by bit.

#include "kernels/simt/simt.h"

namespace xf::cuda {

/// A value before residual and activation; `centred` is x - mean, `scale` inv_std * gamma. The mean is taken
/// off before scaling: folded into one shift, it would cancel where it is large. The product is not rounded,
/// by an fmaf that no compiler takes apart: the sign that the gradient recomputes from x is the one that the
/// activation saw.
__device__ __forceinline__ float normalised(float centred, float scale, float beta) {
  return fmaf(centred, scale, beta);
}

}  // namespace xf::cuda
