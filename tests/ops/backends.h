#pragma once
// The devices that the op suite runs on.

#include <memory>
#include <vector>

#include "engine/run/backend.h"

namespace xf::test {

/// Every backend that this build has.
std::vector<std::unique_ptr<Backend>> backends(Determinism determinism);

}  // namespace xf::test
