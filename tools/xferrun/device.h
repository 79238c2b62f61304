#pragma once
// --device: which backend computes.

#include <memory>
#include <string>

#include "engine/run/backend.h"

namespace xf::tool {

/// "cpu", "cuda", "cuda:1" or "auto": the first GPU that can be used, else the CPU, saying so. Throws
/// UsageError for another word, UnavailableError when a GPU was asked for and cannot be used.
std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism);

}  // namespace xf::tool
