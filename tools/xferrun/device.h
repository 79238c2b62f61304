#pragma once
// --device: which backend computes.

#include <memory>
#include <string>

#include "engine/run/backend.h"

namespace xf::tool {

/// "cpu", "cuda", "cuda:1" or "auto". The CUDA module has a part of the operations so far, no whole network:
/// "auto" therefore is the CPU. Throws UsageError for another word, UnavailableError when a GPU was asked for
/// and cannot be used.
std::unique_ptr<Backend> open_device(const std::string& device, Determinism determinism);

}  // namespace xf::tool
