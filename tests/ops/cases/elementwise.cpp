// What treats each number alone: normalize, cast, bias and its gradient, act and its gradient, add, dropout.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"

namespace xf::test {
namespace {

std::vector<OpCase> normalize_cases() {
  std::vector<OpCase> cases;
  const std::array<float, 4> scale{0.017F, -0.0175F, 2, 0.5F}, shift{-2.1F, 0.25F, -1, 3};
  for (const DType from : {DType::u8, DType::f32})
    for (const int channels : {3, 4})
      for (const ChannelOrder order : {ChannelOrder::rgb, ChannelOrder::bgr})
        for (const Shape x : {Shape{1, 3, 5, 3}, Shape{2, 17, 9, 3}})
          cases.push_back({fmt::format("{} {} to {} channels, {}", to_string(x), name(from), channels,
                                       order == ChannelOrder::rgb ? "rgb" : "bgr"),
                           Normalize{order, scale, shift, channels, DType::f32},
                           {fixed(x, from == DType::u8 ? below(256) : normal(), from)}});
  cases.push_back({"3 of 8 channels, bgr",
                   Normalize{ChannelOrder::bgr, scale, shift, 8, DType::f32},
                   {fixed({3, 19, 23, 3}, below(256), DType::u8)}});
  for (const int c : {1, 2, 4})
    cases.push_back({fmt::format("{} channels", c),
                     Normalize{ChannelOrder::rgb, scale, shift, c, DType::f32},
                     {fixed({2, 4, 7, c}, below(256), DType::u8)}});
  return in_each_type(cases);
}

/// The case in plans of f16, which not every backend has.
OpCase of_f16(OpCase c) {
  c.type = DType::f16;
  return c;
}

std::vector<OpCase> cast_cases() {
  std::vector<OpCase> cases;
  for (const int64_t c : kChannels) {
    const Shape x{2, 3, 5, c};
    cases.push_back(
        with_gradients({fmt::format("f32 to bf16, {}", to_string(x)), Cast{DType::bf16}, {fixed(x)}}, {0}));
    cases.push_back(
        {fmt::format("bf16 to f32, {}", to_string(x)), Cast{DType::f32}, {fixed(x, normal(), DType::bf16)}});
    for (const auto& [from, to] : {std::pair(DType::f32, DType::f16), std::pair(DType::f16, DType::f32),
                                   std::pair(DType::bf16, DType::f16), std::pair(DType::f16, DType::bf16)})
      cases.push_back(of_f16({fmt::format("{} to {}, {}", name(from), name(to), to_string(x)),
                              Cast{to},
                              {fixed(x, normal(), from)}}));
  }
  // Halfway between two bf16 numbers: to the even one. Just above, large, small, infinite.
  cases.push_back(
      {"f32 to bf16, hard numbers",
       Cast{DType::bf16},
       {fixed({1, 1, 5, 29}, any_of({1 + 0x1p-8, 1 + 3 * 0x1p-8, -1 - 0x1p-8, 1 + 0x1p-8 + 0x1p-23,
                                     3.4028234e38, -1e38, 0x1p-126, 0, HUGE_VAL, -HUGE_VAL}))}});
  // Likewise for f16; subnormal numbers, halfway between two of them, and what is just too large.
  cases.push_back(of_f16(
      {"f32 to f16, hard numbers",
       Cast{DType::f16},
       {fixed({1, 1, 5, 29}, any_of({1 + 0x1p-11, 1 + 3 * 0x1p-11, -1 - 0x1p-11, 1 + 0x1p-11 + 0x1p-23, 65504,
                                     65519, 65520, -1e38, 0x1p-14, 3 * 0x1p-25, 0x1p-25, 0, -HUGE_VAL}))}}));
  return cases;
}

StepParams dropout_step(int64_t first_image = 0) {
  StepParams s;
  s.seed = 0x123456789abcdef0;
  s.counter = 41;
  s.first_image = first_image;
  return s;
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> cases;
  const Fill signs = any_of({-1, -0.0, 0, 0.5, 2});
  const Operand step = step_operand(dropout_step());
  for (const int64_t c : kChannels) {
    const Shape x{2, 3, 5, c};
    const std::string text = to_string(x);
    cases.push_back(with_gradients({text, Bias{}, {activation(x), per_channel(c)}}, {0, 1}));
    cases.push_back({text, BiasGrad{}, {activation(x)}});
    cases.push_back({text, Act{Activation::relu}, {activation(x, signs)}});
    cases.push_back(with_gradients({text + ", not zero", Act{Activation::relu}, {activation(x)}}, {0}));
    cases.push_back({text, ActBwd{Activation::relu}, {activation(x), activation(x, signs)}});
    cases.push_back(with_gradients({text, Add{}, {activation(x), activation(x)}}, {0, 1}));
    cases.push_back(with_gradients({text, Dropout{0.4F, 3}, {step, activation(x)}}, {1}));
  }
  const Shape small{1, 1, 1, 3}, large{4, 29, 31, 20};
  const Operand s = activation(small), l = activation(large);
  cases.push_back({"one position", Bias{}, {s, per_channel(3)}});
  cases.push_back({"one position", BiasGrad{}, {s}});
  cases.push_back({"many positions", BiasGrad{}, {l}});
  cases.push_back({"many positions and channels", BiasGrad{}, {activation({1, 33, 32, 136})}});
  cases.push_back({"many positions", Dropout{0.8F, 0}, {step, l}});
  cases.push_back({"rate 0", Dropout{0, 1}, {step, s}});
  // The second rank's images: their numbers begin within a group of four, and with one.
  const Operand later = step_operand(dropout_step(3));
  cases.push_back({"later images of 75", Dropout{0.4F, 3}, {later, activation({5, 3, 5, 5})}});
  cases.push_back({"later images of 17980", Dropout{0.4F, 3}, {later, l}});
  cases.push_back({"of three", Add{}, {l, l, l}});
  const Operand m = activation({2, 3, 5, 17});
  cases.push_back({"of seven", Add{}, {m, m, m, m, m, m, m}});
  cases.push_back({"of 64", Add{}, std::vector<Operand>(64, s)});
  cases.push_back(with_gradients({"of five", Add{}, {s, s, s, s, s}}, {0, 1, 2, 3, 4}));
  cases = in_each_type(cases);
  // More than the threads of a launch.
  cases.push_back({"more positions yet", Act{Activation::relu}, {activation({5, 64, 64, 33})}});
  for (const std::vector<OpCase>& more : {normalize_cases(), cast_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace xf::test
