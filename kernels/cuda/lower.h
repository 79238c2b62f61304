#pragma once
// One function an operation: builds its CUDA kernel. Defined in lower_<family>.cpp.

#include <memory>
#include <string>

#include "engine/core/error.h"
#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf::cuda {

class Communicator;
class Libraries;

/// What every lowering may need to know.
struct Context {
  Determinism determinism = Determinism::fixed_threads;
  Math math = Math::f32;
  std::shared_ptr<Libraries> libraries;
  std::shared_ptr<Communicator> ranks = {};  ///< none where the backend computes alone
};

/// Throws UnavailableError where there is no kernel for the node's types or attributes. An operation without
/// any is a link error.
#define XF_OP(Name, text) \
  std::unique_ptr<Kernel> lower(const Name& op, const Node& node, const Context& context);
#include "engine/graph/ops.def"
#undef XF_OP

}  // namespace xf::cuda
