#pragma once
// The arrangements that convolutions and products want their weights in, by number: what a kernel's wants()
// names and a Pack node carries. All of them are OHWI like the canonical weights; what differs is the type,
// and zeros behind the input channels.

#include <cstdint>
#include <string>

#include "engine/core/dtype.h"
#include "engine/core/error.h"
#include "engine/core/shape.h"

namespace xf::cuda {

/// What a number stands for.
struct WeightLayout {
  DType type = DType::f32;  ///< f32, bf16 or f16
  int channels = 0;         ///< input channels there; those beyond the weights' own are zero
};

/// The number of the arrangement in `type` with `padded_channels` input channels: the weights' own count, or
/// more, say the next multiple of 8. Never 0, which would be the canonical weights.
constexpr uint64_t layout_id(DType type, int padded_channels) {
  return uint64_t{static_cast<uint32_t>(padded_channels)} << 8 | static_cast<uint8_t>(type);
}

/// What the number stands for. Throws InternalError for one that layout_id() does not give.
inline WeightLayout weight_layout(uint64_t id) {
  const WeightLayout layout{static_cast<DType>(id & 0xffU), static_cast<int>(id >> 8 & 0x7fffffffU)};
  const bool typed = layout.type == DType::f32 || layout.type == DType::bf16 || layout.type == DType::f16;
  if (!typed || layout.channels == 0 || layout_id(layout.type, layout.channels) != id)
    throw InternalError("weight layout " + std::to_string(id), "is none that the CUDA backend knows");
  return layout;
}

/// Bytes of `weights` (OHWI) in that arrangement.
inline int64_t layout_bytes(const Shape& weights, uint64_t id) {
  const WeightLayout layout = weight_layout(id);
  return weights.rows() * layout.channels * static_cast<int64_t>(size_of(layout.type));
}

}  // namespace xf::cuda
