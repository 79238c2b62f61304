#pragma once
// Images as decoded into the numbers that a network takes.

#include <cstdint>

#include "engine/core/dtype.h"
#include "engine/graph/ops.h"

namespace xf::cuda {

/// Images in device memory, without gaps.
struct NormalizeTensors {
  int64_t pixels = 0;
  int channels = 3;        ///< of x: 1 … 4
  DType from = DType::u8;  ///< type of x: u8 or f32
  const void* x = nullptr;
  void* y = nullptr;  ///< op.channels each pixel, of type op.to: f32, bf16 or f16
};

/// y[c] = x[source(c)] * scale[c] + shift[c], zero for the channels that x lacks. Queues its work on `stream`
/// (a cudaStream_t) and returns its cudaError_t.
///
/// Three bytes a pixel begin on no vector that a thread could load. So a block first copies the bytes of its
/// 512 pixels to shared memory as they lie, 16 a thread side by side; each thread then makes 16 bytes of y,
/// again side by side, from whichever pixels they belong to. Both sides are coalesced for any number of
/// channels.
int normalize(const NormalizeTensors& t, const Normalize& op, void* stream);

}  // namespace xf::cuda
