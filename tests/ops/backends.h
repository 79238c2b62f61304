#pragma once
// The devices that the op suite runs on.

#include <memory>
#include <vector>

#include "engine/analyze/tsne_backend.h"
#include "engine/run/backend.h"

namespace xf::test {

/// Every backend that this build has.
std::vector<std::unique_ptr<Backend>> backends(Determinism determinism);

/// What the same devices have for t-SNE.
std::vector<std::unique_ptr<TsneBackend>> tsne_backends();

}  // namespace xf::test
