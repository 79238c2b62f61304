#pragma once
// The CPU backend: oneDNN for convolutions and matrix products, our own vectorised code for the rest.

#include <memory>

#include "engine/run/backend.h"

namespace xf::cpu {

/// A backend that computes on threads() threads of this process.
std::unique_ptr<Backend> make_backend(Determinism determinism);

}  // namespace xf::cpu
