#pragma once
// What `plan --measure` finds out: a few steps of a training and one checkpoint, as they are on this machine.

#include <filesystem>

#include "engine/train/trainer.h"
#include "tools/xferrun/session.h"

namespace xf::tool {

struct Measurement {
  double step_seconds = 0;        ///< of one batch with its update: the median
  double checkpoint_seconds = 0;  ///< written, synced and read back
};

/// Random pixels and labels.
ImageBatch random_batch(const NetworkSpec& spec, int64_t count, int classes);

/// Trains on random images, and writes a checkpoint into a folder of its own within `folder`, which is
/// removed again. Throws MemoryError where the training does not fit, WriteError where the folder cannot be
/// written, StoppedError on a signal.
Measurement measure_training(const NetworkSpec& spec, const TrainOptions& train, int classes,
                             Session& session, const std::filesystem::path& folder);

/// Seconds from a signal to the program's end, at most: a batch that is on its way, the update after it, a
/// checkpoint that is being written, and the last one.
double stop_seconds(const Measurement& m, int accumulate);

/// Seconds in which an epoch of `images` images of the training part is trained, when their decoding keeps
/// up.
double epoch_seconds(const Measurement& m, int64_t images, int64_t batch, int accumulate);

}  // namespace xf::tool
