#pragma once
// Which GPUs there are.

#include <vector>

#include "kernels/cuda/module.h"

namespace xf::cuda {

Versions versions();

/// In the driver's order. Throws UnavailableError where there is no driver, or one older than the runtime.
std::vector<Device> devices();

/// Throws UnavailableError unless device `index` is there and of compute capability 7.5 or more.
Device usable_device(int index);

}  // namespace xf::cuda
