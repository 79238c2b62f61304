#pragma once
// One function an operation: builds its CPU kernel. Defined in the file of the operation's family.

#include <memory>

#include "engine/dist/comm_single.h"
#include "engine/graph/graph.h"
#include "engine/run/backend.h"
#include "kernels/cpu/backend.h"

namespace xf::cpu {

/// What every lowering may need to know.
struct Context {
  Determinism determinism = Determinism::fixed_threads;
  Convolutions convolutions = Convolutions::by_rule;
  Comm* comm = &single_comm();
};

#define XF_OP(Name, text) \
  std::unique_ptr<Kernel> lower(const Name& op, const Node& node, const Context& context);
#include "engine/graph/ops.def"
#undef XF_OP

}  // namespace xf::cpu
