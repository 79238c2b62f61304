#pragma once
// What an execution computes with: the values of the graph's tensors in double precision.

#include <cstdint>
#include <map>
#include <vector>

namespace xf::standin::cudnn {

/// By the tensor's unique id; row-major over its dimensions.
using Values = std::map<int64_t, std::vector<double>>;

/// How an engine computes, where that shows in the results.
struct Arithmetic {
  bool tf32 = false;      ///< multiplies f32 operands of convolutions in TF32
  bool reversed = false;  ///< the order of a sum that is free to change from run to run
};

}  // namespace xf::standin::cudnn
