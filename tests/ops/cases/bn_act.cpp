// bn_act, bn_act_bwd and fold_bn.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {
namespace {

struct With {
  bool gamma = true, residual = true, relu = true;
};

BnAct attributes(BnMode mode, With with) {
  return {1e-3F, 0.1F, mode, with.relu ? Activation::relu : Activation::none};
}

std::string text(const Shape& x, BnMode mode, With with) {
  return fmt::format("{}, {} statistics{}{}{}", to_string(x), mode == BnMode::batch ? "batch" : "running",
                     with.gamma ? ", gamma" : "", with.residual ? ", residual" : "",
                     with.relu ? ", relu" : "");
}

OpCase forward(Shape x, BnMode mode, With with, Fill fill = normal(0.5, 2)) {
  return {text(x, mode, with),
          attributes(mode, with),
          {activation(x, std::move(fill)), with.gamma ? per_channel(x.c) : absent(), per_channel(x.c),
           per_channel(x.c), per_channel(x.c, uniform(0.1, 4)), with.residual ? activation(x) : absent()},
          {1, 2, 3, 4}};
}

OpCase backward(Shape x, BnMode mode, With with) {
  return {text(x, mode, with),
          BnActBwd{attributes(mode, with)},
          {activation(x), activation(x, normal(0.5, 2)),
           with.relu ? activation(x, any_of({-0.0, 0, 0, 0.5, 1})) : absent(),
           with.gamma ? per_channel(x.c) : absent(), per_channel(x.c, normal(0.5, 0.1)),
           per_channel(x.c, uniform(0.2, 2))},
          {0, 1, 2, 3}};
}

/// Without y, ReLU's sign comes from x and beta.
OpCase backward_from_x(Shape x, BnMode mode, With with) {
  OpCase c = backward(x, mode, with);
  c.name += ", sign from x";
  c.in[2] = absent();
  c.in.push_back(per_channel(x.c));
  return c;
}

OpCase fold(Shape w, Operand gamma, Operand bias, const char* with) {
  return {to_string(w) + with,
          FoldBn{1e-3F},
          {fixed(w), std::move(gamma), per_channel(w.n), per_channel(w.n), per_channel(w.n, uniform(0.01, 4)),
           std::move(bias)}};
}

void add_hard_statistics(std::vector<OpCase>& cases) {
  // What a variance by E[x²] - mean² gets wrong. In f32 alone: bf16 has no room for such numbers.
  const With gamma{true, false, false};
  const Shape x{2, 17, 16, 21};
  cases.push_back(forward(x, BnMode::batch, gamma, normal(100, 0.5)));
  cases.back().name += ", mean 200 deviations from zero";
  cases.push_back(
      forward(x, BnMode::batch, gamma, [x](int64_t i, Rng& rng) { return i < x.c ? 10.0 : rng.normal(); }));
  cases.back().name += ", the first position far out";
  cases.push_back(forward(x, BnMode::batch, gamma, any_of({0.7})));
  cases.back().name += ", all equal";
}

}  // namespace

std::vector<OpCase> bn_act_cases() {
  std::vector<OpCase> cases;
  for (const BnMode mode : {BnMode::batch, BnMode::running}) {
    const auto add = [&](const Shape& x, With with) {
      cases.push_back(forward(x, mode, with));
      cases.push_back(backward(x, mode, with));
    };
    for (int bits = 0; bits < 8; ++bits) {
      const With with{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
      add({2, 3, 5, 24}, with);
      std::vector<int> wrt{0, 2};
      if (with.gamma) wrt.push_back(1);
      if (with.residual) wrt.push_back(5);
      cases.push_back(with_gradients(forward({2, 3, 2, 3}, mode, with), wrt));
    }
    for (const int64_t c : kChannels) {
      add({2, 5, 3, c}, {});
      add({1, 4, 4, c}, {});
      for (const bool gamma : {false, true})
        cases.push_back(backward_from_x({2, 5, 3, c}, mode, {gamma, false, true}));
    }
    cases.push_back(backward_from_x({3, 33, 31, 20}, mode, {true, false, true}));
    add({2, 1, 1, 40}, {true, false, false});
    add({3, 33, 31, 20}, {});  // enough rows for several blocks
    // Enough for more of them than merge at once, and channels for two beside each other.
    if (mode == BnMode::batch) add({1, 33, 32, 136}, {});
    if (mode == BnMode::running) add({1, 1, 1, 19}, {});
  }
  cases = in_each_type(cases);
  add_hard_statistics(cases);
  for (const int64_t c : kChannels) {
    cases.push_back(fold({c, 3, 3, 7}, per_channel(c), per_channel(c), ", gamma, bias"));
    cases.push_back(fold({c, 1, 1, 101 - c}, absent(), absent(), ""));
  }
  // As many weights as one block does not take, with and without a remainder to its vectors.
  cases.push_back(fold({3, 3, 3, 512}, per_channel(3), per_channel(3), ", gamma, bias"));
  cases.push_back(fold({2, 5, 5, 83}, per_channel(2), absent(), ", gamma"));
  cases.push_back(fold({3, 1, 1, 1}, per_channel(3), absent(), ", gamma"));
  return cases;
}

}  // namespace xf::test
