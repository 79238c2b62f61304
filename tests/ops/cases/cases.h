#pragma once
// The cases of the op suite, a family of operations a file. Every operation of engine/graph/ops.def has some.

#include <vector>

#include "tests/ops/op_case.h"

namespace xf::test {

std::vector<OpCase> conv_cases();
std::vector<OpCase> dense_cases();
std::vector<OpCase> bn_act_cases();
std::vector<OpCase> pool_cases();
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> channel_cases();
std::vector<OpCase> softmax_cases();
std::vector<OpCase> optimize_cases();
std::vector<OpCase> all_cases();

}  // namespace xf::test
