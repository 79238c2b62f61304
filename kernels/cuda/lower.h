#pragma once
// One function an operation: builds its CUDA kernel. Defined in lower_<family>.cpp.

#include <memory>
#include <string>

#include "engine/core/error.h"
#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf::cuda {

class Libraries;

/// What every lowering may need to know.
struct Context {
  Determinism determinism = Determinism::fixed_threads;
  Math math = Math::f32;
  std::shared_ptr<Libraries> libraries;
};

std::unique_ptr<Kernel> lower(const BnAct& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Conv2d& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const ConvBwdData& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const ConvBwdWeights& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Dense& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const DenseBwdData& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const DenseBwdWeights& op, const Node& node, const Context& context);

/// Operations without a CUDA kernel.
template <class Op>
std::unique_ptr<Kernel> lower(const Op& /*op*/, const Node& node, const Context& /*context*/) {
  throw UnavailableError(node.name,
                         "the operation " + std::string(op_name(node.op)) + " is not available on cuda",
                         "use --device cpu");
}

}  // namespace xf::cuda
