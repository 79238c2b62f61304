#pragma once
// The operations of a network's training step, each distinct one once.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan/program.h"
#include "engine/train/network.h"
#include "engine/train/trainer.h"

namespace xf::bench {

struct NetworkOp {
  int node = 0;
  std::string_view op;
  std::string detail;           ///< "3x3 s2", "relu residual"; may be empty
  std::string input, output;    ///< shapes
  std::string_view type;        ///< of the input
  int count = 1;                ///< how often the step has it
  std::vector<Value> operands;  ///< as operands_of() gives them
};

struct NetworkOps {
  Program program;
  std::vector<NetworkOp> ops;  ///< in the order of the step
};

/// Of the step that `train` describes, with momentum, in `precision`.
NetworkOps network_ops(const NetworkSpec& spec, const TrainOptions& train, Precision precision);

}  // namespace xf::bench
