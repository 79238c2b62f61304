#pragma once
// An operation graph: its operations in an order in which they can run, and all their tensors.

#include <map>
#include <set>
#include <variant>
#include <vector>

#include "tests/standin/cudnn/convolution.h"
#include "tests/standin/cudnn/descriptor.h"
#include "tests/standin/cudnn/pointwise.h"
#include "tests/standin/cudnn/tensor.h"

namespace xf::standin::cudnn {

using Operation = std::variant<Convolution, Pointwise>;

/// An operation from its descriptor, finalized or about to be. Throws Failure when it is inconsistent.
Operation operation(const Descriptor& d);

struct Graph {
  /// Throws Failure when a tensor is described in two ways, written twice, or virtual and never written.
  explicit Graph(const Descriptor& d);

  std::vector<Operation> operations;
  std::map<int64_t, Tensor> tensors;  ///< by unique id
  std::set<int64_t> written;          ///< unique ids
};

/// Computes what the operations write, each tensor rounded to its own type, from the others.
void run(const Graph& graph, Values& values, Arithmetic arithmetic);

}  // namespace xf::standin::cudnn
