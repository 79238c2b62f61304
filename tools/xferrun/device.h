#pragma once
// --device: which backend computes.

#include <memory>
#include <optional>
#include <string>

#include "engine/run/backend.h"

namespace xf::tool {

/// The GPU that "cuda" (the first) or "cuda:I" names; nothing for "cpu" and "auto". Throws UsageError for
/// another word.
std::optional<int> parse_device(const std::string& device);

/// A backend on the device. The CUDA module has a part of the operations so far, no whole network: "auto"
/// therefore is the CPU. Throws UsageError for a word that is no device, UnavailableError when a GPU was
/// asked for and cannot be used.
std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism);

}  // namespace xf::tool
