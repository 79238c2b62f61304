#pragma once
// One function an operation: builds its CUDA kernel. Defined in lower_<family>.cpp.

#include <memory>
#include <string>

#include "engine/core/error.h"
#include "engine/graph/graph.h"
#include "engine/run/backend.h"

namespace xf::cuda {

/// What every lowering may need to know.
struct Context {
  Determinism determinism = Determinism::fixed_threads;
};

std::unique_ptr<Kernel> lower(const BnAct& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const BnActBwd& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const FoldBn& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const BiasGrad& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Normalize& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Cast& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Bias& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Act& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const ActBwd& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Add& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Concat& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Slice& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Dropout& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Pack& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Accumulate& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Softmax& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const SoftmaxXent& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const SoftmaxXentBwd& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Optimize& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const Pool& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const PoolBwd& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const GlobalAvgPool& op, const Node& node, const Context& context);
std::unique_ptr<Kernel> lower(const GlobalAvgPoolBwd& op, const Node& node, const Context& context);

/// Operations without a CUDA kernel.
template <class Op>
std::unique_ptr<Kernel> lower(const Op& /*op*/, const Node& node, const Context& /*context*/) {
  throw UnavailableError(node.name,
                         "the operation " + std::string(op_name(node.op)) + " is not available on cuda",
                         "use --device cpu");
}

}  // namespace xf::cuda
