// dense, dense_bwd_data and dense_bwd_weights.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {

std::vector<OpCase> dense_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](Shape x, int64_t outputs) {
    const Shape w{outputs, x.h, x.w, x.c}, y{x.n, 1, 1, outputs};
    const std::string text = fmt::format("{} to {}", to_string(x), outputs);
    cases.push_back(with_gradients({text, Dense{}, {activation(x), weights(w), absent()}}, {0, 1}));
    const std::vector<Operand> in{activation(x), weights(w), per_channel(outputs)};
    cases.push_back({text + ", bias", Dense{}, in});
    cases.push_back(with_gradients({text + ", bias, relu", Dense{Activation::relu}, in}, {0, 1, 2}));
    cases.push_back({text, DenseBwdData{x}, {activation(y), weights(w)}});
    cases.push_back({text, DenseBwdWeights{w}, {activation(x), activation(y)}});
  };
  for (const int64_t c : kChannels) add({2, 1, 1, c}, 101 - c);
  add({1, 1, 1, 2048}, 3);
  add({16, 1, 1, 512}, 27);
  add({3, 4, 5, 24}, 40);  // a flattened map
  add({1, 1, 1, 1}, 1);
  return in_each_type(cases);
}

}  // namespace xf::test
