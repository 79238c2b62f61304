#pragma once
// The CPU backend's memory: few, large blocks, touched once.

#include <cstddef>
#include <cstdint>

#include "engine/run/backend.h"

namespace xf::cpu {

/// Memory that this process could still get: the smallest of what the system has available and what its
/// cgroups (v1 or v2) leave.
uint64_t available_memory();

/// Zero-filled memory on 2 MiB pages where the system has them, all of it present: a page's first touch costs
/// more than most of what is computed with it. Throws MemoryError naming the bytes asked for and available.
Buffer map_memory(size_t bytes);

}  // namespace xf::cpu
