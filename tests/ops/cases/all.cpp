#include "tests/ops/cases/cases.h"

namespace xf::test {

std::vector<OpCase> all_cases() {
  std::vector<OpCase> all;
  for (const auto family : {conv_cases, dense_cases, bn_act_cases, pool_cases, elementwise_cases,
                            channel_cases, softmax_cases, optimize_cases}) {
    const std::vector<OpCase> cases = family();
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

}  // namespace xf::test
