#pragma once
// Random numbers inside kernels: the generator of engine/core/rng.h, which compiles for the device too, and
// the counters of a step. Element i of a tensor owns word i % 4 of group i / 4.

#include "engine/core/rng.h"
#include "engine/graph/ops.h"
#include "kernels/simt/simt.h"

namespace xf::cuda {

/// The random numbers of one operation in one micro-batch.
struct StepRandom {
  uint64_t seed, stream;
  /// The four words of elements 4 group … 4 group + 3.
  __device__ __forceinline__ Philox4 group(int64_t group) const {
    return philox(seed, stream, static_cast<uint64_t>(group));
  }
};

/// Those of the operation that has the number `stream`; `step` is in device memory.
__device__ __forceinline__ StepRandom step_random(const StepParams* step, uint32_t stream) {
  return {simt::load<uint64_t>(&step->seed), uint64_t{stream} << 32 | simt::load<uint32_t>(&step->counter)};
}

}  // namespace xf::cuda
