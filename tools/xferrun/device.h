#pragma once
// --device: which backend computes.

#include <memory>
#include <optional>
#include <string>

#include "engine/analyze/tsne_backend.h"
#include "engine/run/backend.h"

namespace xf::tool {

/// The GPU that "cuda" (the first) or "cuda:I" names; nothing for "cpu" and "auto". Throws UsageError for
/// another word.
std::optional<int> parse_device(const std::string& device);

/// A backend on the device; "auto" is the first GPU, or else the CPU, with a line that says why. Throws
/// UsageError for a word that is no device, UnavailableError when a GPU was asked for and cannot be used.
/// `first`: the GPU that "auto" and "cuda" mean.
std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism, int first = 0);

/// The same for t-SNE.
std::unique_ptr<TsneBackend> open_tsne_device(const std::string& device);

}  // namespace xf::tool
