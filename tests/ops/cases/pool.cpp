// pool, pool_bwd, global_avg_pool and its gradient.

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"
#include "tests/ops/reference/reference.h"

namespace xf::test {
namespace {

struct Window {
  const char* name;
  int kh, kw, sh, sw;
  Padding pad;
  int ceil_h = 0, ceil_w = 0;
};

/// Over maps of 9 x 8 positions.
const Window kWindows[] = {
    {"3x3 stride 2", 3, 3, 2, 2, {}},
    {"2x2 stride 2", 2, 2, 2, 2, {}},
    {"3x3 stride 2 padded", 3, 3, 2, 2, {1, 1, 1, 1}},
    {"3x3 stride 1 padded", 3, 3, 1, 1, {1, 1, 1, 1}},
    {"3x3 stride 2 padded below and right", 3, 3, 2, 2, {0, 1, 0, 1}},
    {"3x3 stride 2, ceil", 3, 3, 2, 2, {0, 0, 0, 1}, 0, 1},
    {"3x3 stride 2 padded, ceil", 3, 3, 2, 2, {1, 1, 1, 2}, 0, 1},
    {"4x2 stride 3 by 2 padded, ceil", 4, 2, 3, 2, {1, 2, 0, 1}, 1, 1},
    {"1x3 stride 1 by 2", 1, 3, 1, 2, {}},
    {"5x5 stride 3", 5, 5, 3, 3, {}},
    {"9x8, the whole map", 9, 8, 1, 1, {}},
    {"1x1 stride 2", 1, 1, 2, 2, {}},
};

void add(std::vector<OpCase>& cases, const Window& w, Shape x, PoolKind kind, CountPadding count) {
  const Pool op{kind, w.kh, w.kw, w.sh, w.sw, w.pad, count, w.ceil_h, w.ceil_w};
  const bool max = kind == PoolKind::max;
  const std::string text = fmt::format("{} {}, {}{}", max ? "max" : "average", w.name, to_string(x),
                                       count == CountPadding::yes ? ", padding counted" : "");
  // Few distinct numbers, most of them negative: the first maximum must win, and never the padding.
  OpCase forward{text, op, {activation(x, max ? any_of({-2, -1.5, -1, -0.5, 0.25}) : normal())}, {}};
  if (max) forward.may_be_unused = {1};
  const std::vector<Array> out = reference(op, generate(forward));
  const Operand argmax = max ? fixed(out[1].shape, numbers(out[1]), DType::u8) : absent();
  if (!max) forward.differentiable = {0};
  cases.push_back(std::move(forward));
  if (max && x.c < 20)  // no two numbers equal, so the maximum is smooth
    cases.push_back(with_gradients({text + ", all different", op, {activation(x)}, {1}}, {0}));
  cases.push_back({text, PoolBwd{op, x}, {activation(out[0].shape), argmax}});
}

}  // namespace

std::vector<OpCase> pool_cases() {
  std::vector<OpCase> cases;
  for (const Window& w : kWindows) {
    const Shape x{2, 9, 8, 19};
    add(cases, w, x, PoolKind::max, CountPadding::no);
    add(cases, w, x, PoolKind::average, CountPadding::no);
    add(cases, w, x, PoolKind::average, CountPadding::yes);
  }
  for (const int64_t c : kChannels) {
    add(cases, kWindows[2], {1, 6, 7, c}, PoolKind::max, CountPadding::no);
    add(cases, kWindows[3], {2, 4, 5, c}, PoolKind::average, CountPadding::no);
    for (const Shape x : {Shape{2, 7, 7, c}, Shape{1, 1, 1, c}}) {
      const std::string text = to_string(x);
      cases.push_back(with_gradients({text, GlobalAvgPool{}, {activation(x)}}, {0}));
      cases.push_back({text, GlobalAvgPoolBwd{x, DType::f32}, {fixed({x.n, 1, 1, c})}});
    }
  }
  return in_each_type(cases);
}

}  // namespace xf::test
