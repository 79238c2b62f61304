#include "kernels/cpu/winograd_rule.h"

#include "kernels/cpu/winograd.h"
#include "kernels/cpu/winograd_product.h"

namespace xf::cpu::winograd {

namespace {

bool faster(const Shape& x, const Shape& y) {
  constexpr int64_t kFewestTiles = 16, kFewestChannels = 64;
  constexpr int kAvx512Lanes = 16;
  const Tiling tiling(y);
  if (tiling.count < kFewestTiles) return false;
  if (vector_lanes() >= kAvx512Lanes && x.c + y.c < kFewestChannels) return false;
  return 2 * y.rows() >= tiling.count * kOutputs * kOutputs;
}

}  // namespace

bool chosen(const Conv2d& op, const Shape& x, const Shape& y, DType type, const Context& context) {
  if (context.convolutions == Convolutions::direct || !can_compute(op, x, y, type)) return false;
  return context.convolutions == Convolutions::winograd || faster(x, y);
}

}  // namespace xf::cpu::winograd
