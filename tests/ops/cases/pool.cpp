// pool, pool_bwd, global_avg_pool and its gradient.

#include <fmt/format.h>

#include <limits>

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
  const bool small = x.rows() < 200;
  if (!max && small) forward.differentiable = {0};
  cases.push_back(std::move(forward));
  if (max && small && x.c < 20)  // no two numbers equal, so the maximum is smooth
    cases.push_back(with_gradients({text + ", all different", op, {activation(x)}, {1}}, {0}));
  cases.push_back({text, PoolBwd{op, x}, {activation(out[0].shape), argmax}});
}

/// NaNs and infinities: neither may be lost, nor found in the padding.
OpCase maximum_of_any_number(const Window& w, Shape x) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Pool op{PoolKind::max, w.kh, w.kw, w.sh, w.sw, w.pad, CountPadding::no, w.ceil_h, w.ceil_w};
  return {fmt::format("max {}, {}, any number", w.name, to_string(x)),
          op,
          {activation(x, any_of({-kInfinity, -kInfinity, -kInfinity, -kInfinity, -2, 0.5, kInfinity, kNan}))},
          {1}};
}

void add_global(std::vector<OpCase>& cases, Shape x) {
  const std::string text = to_string(x);
  const bool small = x.rows() < 100;
  cases.push_back({text, GlobalAvgPool{}, {activation(x)}});
  if (small) cases.back().differentiable = {0};
  cases.push_back({text, GlobalAvgPoolBwd{x, DType::f32}, {fixed({x.n, 1, 1, x.c})}});
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
    for (const Shape x : {Shape{2, 7, 7, c}, Shape{1, 1, 1, c}}) add_global(cases, x);
  }
  // Whole vectors in every type: of windows with extents of their own, and more than a row of threads holds.
  for (const size_t w : {1, 7, 9}) {
    add(cases, kWindows[w], {2, 9, 8, 16}, PoolKind::max, CountPadding::no);
    add(cases, kWindows[w], {2, 9, 8, 16}, PoolKind::average, CountPadding::yes);
  }
  add(cases, kWindows[3], {1, 3, 4, 328}, PoolKind::max, CountPadding::no);
  add_global(cases, {1, 5, 3, 328});
  // Maps that are shared among many threads, each of which has some of the positions.
  add(cases, kWindows[2], {1, 37, 41, 24}, PoolKind::max, CountPadding::no);
  add(cases, kWindows[3], {1, 37, 41, 3}, PoolKind::average, CountPadding::no);
  for (const int64_t c : {3, 8, 20}) add_global(cases, {2, 40, 29, c});
  add_global(cases, {1, 40, 29, 1});
  // More images than a GPU's grid is high.
  add(cases, kWindows[11], {65537, 1, 1, 1}, PoolKind::average, CountPadding::no);
  add_global(cases, {65537, 1, 1, 1});
  // The pools of BN-Inception at 224x224: the last windows reach beyond the map; averages count the padding.
  const Window ceil{"3x3 stride 2, ceil", 3, 3, 2, 2, {0, 1, 0, 1}, 1, 1};
  for (const int64_t side : {112, 56, 28, 14})
    add(cases, ceil, {1, side, side, 8}, PoolKind::max, CountPadding::no);
  add(cases, kWindows[3], {1, 7, 7, 24}, PoolKind::max, CountPadding::no);
  for (const int64_t side : {28, 14, 7})
    add(cases, kWindows[3], {1, side, side, 8}, PoolKind::average, CountPadding::yes);
  for (const int64_t c : {5, 16})
    for (const size_t w : {1, 2, 3, 7}) cases.push_back(maximum_of_any_number(kWindows[w], {2, 9, 8, c}));
  return in_each_type(cases);
}

}  // namespace xf::test
