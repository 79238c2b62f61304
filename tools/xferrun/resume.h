#pragma once
// Whether a training is the one that a checkpoint belongs to.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/data/dataset.h"
#include "tools/xferrun/checkpoint_files.h"
#include "tools/xferrun/fine_tune_options.h"

namespace xf::tool {

/// Everything that decides a training's numbers: options, network, images, split, precision, version; and
/// what decides their last bits: threads and device.
nlohmann::json identity_of(const FineTuneOptions& o, Session& session, const TrainingRequest& request,
                           const Dataset& data, const std::vector<Part>& parts);

/// The newest checkpoint of a training in `folder`; nothing where it had none yet. Throws UsageError, which
/// names each difference, where it was another training than `identity` says, OutputExistsError for a run
/// that ended without checkpoints, and as newest_checkpoint(). Other threads or another device are logged.
std::optional<weights::Checkpoint> resumable(const std::filesystem::path& folder,
                                             const nlohmann::json& identity);

/// Of several ranks: whether all are about to do the same, from the same place. Throws DataError, which names
/// the rank that is not.
void require_alike(nlohmann::json identity, const std::optional<weights::Checkpoint>& from);

/// Of a checkpoint: how many bytes of metrics.jsonl belong to it.
int64_t metrics_bytes(const weights::Checkpoint& checkpoint);

/// What a checkpoint says besides its state.
std::string about(const nlohmann::json& identity, int64_t metrics_bytes);

}  // namespace xf::tool
