#pragma once
// A training as a file: RUN/last.h5. What is read back has the same bits.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/train/state.h"

namespace xf::weights {

struct Checkpoint {
  TrainState state;
  std::string about;  ///< the caller's text: what is trained, and how
  /// Every tensor of the store by its name there: parameters, batch-norm state, "moment1/…", "ema/…"; f32.
  std::vector<std::pair<std::string, Tensor>> tensors;
};

/// Writes it, whole or not at all, each part with its checksum. Throws WriteError.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws MissingInputError when the file is not there, and DataError for one that is no checkpoint, was
/// written by a newer version, or is damaged: it names the part.
Checkpoint load_checkpoint(const std::filesystem::path& path);

/// The same without keeping more than one tensor at a time: throws where load_checkpoint() would.
void verify_checkpoint(const std::filesystem::path& path);

}  // namespace xf::weights
