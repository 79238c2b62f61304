#pragma once
// How much memory a training will take, before anything of it is reserved.

#include <cstddef>

#include "engine/train/trainer.h"

namespace xf::tool {

struct MemoryEstimate {
  size_t parameters = 0;   ///< parameters, moments, sums, averages, batch-norm state
  size_t activations = 0;  ///< the arena and the plan's fixed memory
  size_t images = 0;       ///< the waiting batches
  size_t process = 0;      ///< what this process takes by now: code, libraries, compiled kernels
  [[nodiscard]] size_t peak() const { return parameters + activations + images + process; }
};

/// `plan` must have been compiled in this process.
MemoryEstimate estimate_memory(const TrainingPlan& plan, size_t image_bytes);

/// Resident memory now and at its highest, in bytes (VmRSS and VmHWM of /proc/self/status).
size_t resident_bytes();
size_t peak_resident_bytes();

}  // namespace xf::tool
