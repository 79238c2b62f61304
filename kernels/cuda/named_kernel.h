#pragma once
// A kernel under its layer's name: for profilers.

#include <memory>

#include "engine/run/backend.h"

namespace xf::cuda {

/// `kernel`, whose runs are NVTX ranges called `name` (Nsight shows them).
std::unique_ptr<Kernel> named(std::unique_ptr<Kernel> kernel, const std::string& name);

}  // namespace xf::cuda
