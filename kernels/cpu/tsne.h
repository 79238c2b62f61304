#pragma once
// t-SNE on the CPU.

#include <memory>

#include "engine/analyze/tsne_backend.h"

namespace xf::cpu {

/// Computes on threads() threads of this process.
std::unique_ptr<TsneBackend> make_tsne_backend();

}  // namespace xf::cpu
