#pragma once
// How much memory a training will take, before anything of it is reserved.

#include <cstddef>

#include "engine/train/trainer.h"

namespace xf::tool {

/// Of one process: of one rank where several share each batch.
struct MemoryEstimate {
  size_t parameters = 0;     ///< parameters, moments, sums, averages, batch-norm state
  size_t activations = 0;    ///< the arena and the plan's fixed memory
  size_t images = 0;         ///< the waiting batches
  size_t process = 0;        ///< what this process takes by now: code, libraries, compiled kernels
  size_t communication = 0;  ///< communication_bytes()
  [[nodiscard]] size_t peak() const { return parameters + activations + images + process + communication; }
  /// The peak while a checkpoint is written, whose copy is as large as the parameters, with as many decoded
  /// images of the training and the validation part as are kept between epochs.
  [[nodiscard]] size_t most() const;
};

/// `plan` must have been compiled in this process. `image_bytes`: of a batch; `communication`: of the ranks.
MemoryEstimate estimate_memory(const TrainingPlan& plan, size_t image_bytes, size_t communication = 0);

/// What a rank takes to exchange gradients with the others: a bucket of kBucketBytes, and as much of theirs.
/// 0 for a process that is alone.
size_t communication_bytes(int ranks);

/// Resident memory now and at its highest, in bytes (VmRSS and VmHWM of /proc/self/status).
size_t resident_bytes();
size_t peak_resident_bytes();

}  // namespace xf::tool
