#pragma once
// The checkpoints of a run folder: last.h5, and before it last-1.h5, last-2.h5, …

#include <filesystem>
#include <future>
#include <optional>
#include <string>

#include "engine/run/param_store.h"
#include "weights/checkpoint.h"

namespace xf::tool {

/// A copy of all that the store holds, with the state.
weights::Checkpoint take_checkpoint(const ParamStore& store, const TrainState& state, std::string about);

/// Gives every tensor of the store its numbers from the checkpoint. Throws DataError where the two do not
/// hold the same tensors.
void put_back(const weights::Checkpoint& checkpoint, ParamStore& store);

/// Writes them while the training goes on. A new one takes the name last.h5 once it has been written, synced
/// and read back; the one before is there until then, and stays as last-1.h5 where more than one is kept.
class CheckpointWriter {
 public:
  /// `keep`: how many there are to be, 1 or more.
  CheckpointWriter(std::filesystem::path folder, int keep);
  /// Waits for what is being written.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Waits for the one before, and begins to write this one. Throws WriteError when that one failed.
  void write(weights::Checkpoint checkpoint);
  /// Until what write() began is done. Throws WriteError when it failed.
  void wait();
  /// How long the last one that was waited for took; 0: none yet.
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  std::filesystem::path folder_;
  int keep_;
  std::future<double> writing_;
  double seconds_ = 0;
};

/// A checkpoint and the file that it came from.
struct FoundCheckpoint {
  std::filesystem::path file;
  weights::Checkpoint checkpoint;
};

/// The newest checkpoint that can be read, with a warning where a newer one cannot; nothing in a folder
/// without any. Throws DataError, about the newest, where none can be read.
std::optional<FoundCheckpoint> newest_checkpoint(const std::filesystem::path& folder);

/// Whether a run's file of this name is one of them.
bool is_checkpoint_name(const std::string& name);

}  // namespace xf::tool
