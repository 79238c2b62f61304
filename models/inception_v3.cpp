#include "models/inception_v3.h"

#include "models/pooled_head.h"

namespace xf {

namespace {

Value block_a(const Net& n, Value x, int pool_channels) {  // 35×35
  return n.concat(
      {n.chain(x, {{"branch1x1", 64, 1}}), n.chain(x, {{"branch5x5_1", 48, 1}, {"branch5x5_2", 64, 5}}),
       n.chain(x, {{"branch3x3dbl_1", 64, 1}, {"branch3x3dbl_2", 96, 3}, {"branch3x3dbl_3", 96, 3}}),
       n.chain(n.avg_pool(x, 3, 1, Pad::half), {{"branch_pool", pool_channels, 1}})});
}

Value block_b(const Net& n, Value x) {  // 35×35 → 17×17
  return n.concat({n.chain(x, {{"branch3x3", 384, 3, 2, Pad::valid}}),
                   n.chain(x, {{"branch3x3dbl_1", 64, 1},
                               {"branch3x3dbl_2", 96, 3},
                               {"branch3x3dbl_3", 96, 3, 2, Pad::valid}}),
                   n.max_pool(x, 3, 2, Pad::valid)});
}

Value block_c(const Net& n, Value x, int c) {  // 17×17, factorised 7×7
  return n.concat(
      {n.chain(x, {{"branch1x1", 192, 1}}),
       n.chain(x, {{"branch7x7_1", c, 1}, {"branch7x7_2", c, {1, 7}}, {"branch7x7_3", 192, {7, 1}}}),
       n.chain(x, {{"branch7x7dbl_1", c, 1},
                   {"branch7x7dbl_2", c, {7, 1}},
                   {"branch7x7dbl_3", c, {1, 7}},
                   {"branch7x7dbl_4", c, {7, 1}},
                   {"branch7x7dbl_5", 192, {1, 7}}}),
       n.chain(n.avg_pool(x, 3, 1, Pad::half), {{"branch_pool", 192, 1}})});
}

Value block_d(const Net& n, Value x) {  // 17×17 → 8×8
  return n.concat({n.chain(x, {{"branch3x3_1", 192, 1}, {"branch3x3_2", 320, 3, 2, Pad::valid}}),
                   n.chain(x, {{"branch7x7x3_1", 192, 1},
                               {"branch7x7x3_2", 192, {1, 7}},
                               {"branch7x7x3_3", 192, {7, 1}},
                               {"branch7x7x3_4", 192, 3, 2, Pad::valid}}),
                   n.max_pool(x, 3, 2, Pad::valid)});
}

Value block_e(const Net& n, Value x) {  // 8×8, 3×3 split into 1×3 and 3×1
  const Value single = n.chain(x, {{"branch1x1", 320, 1}});
  const Value half = n.chain(x, {{"branch3x3_1", 384, 1}});
  const Value split = n.concat(
      {n.chain(half, {{"branch3x3_2a", 384, {1, 3}}}), n.chain(half, {{"branch3x3_2b", 384, {3, 1}}})});
  const Value twice = n.chain(x, {{"branch3x3dbl_1", 448, 1}, {"branch3x3dbl_2", 384, 3}});
  const Value split_twice = n.concat({n.chain(twice, {{"branch3x3dbl_3a", 384, {1, 3}}}),
                                      n.chain(twice, {{"branch3x3dbl_3b", 384, {3, 1}}})});
  return n.concat(
      {single, split, split_twice, n.chain(n.avg_pool(x, 3, 1, Pad::half), {{"branch_pool", 192, 1}})});
}

}  // namespace

ModelOutputs inception_v3(const Net& n, Value x, const Dialect& dialect, int classes) {
  x = n.chain(x, {{"Conv2d_1a_3x3", 32, 3, 2, Pad::valid},
                  {"Conv2d_2a_3x3", 32, 3, 1, Pad::valid},
                  {"Conv2d_2b_3x3", 64, 3}});
  x = n.max_pool(x, 3, 2, Pad::valid);
  x = n.chain(x, {{"Conv2d_3b_1x1", 80, 1}, {"Conv2d_4a_3x3", 192, 3, 1, Pad::valid}});
  x = n.max_pool(x, 3, 2, Pad::valid);

  // Keras numbers the blocks' outputs, and users ask for them by those names.
  int mixed = 0;
  const auto named = [&](Value v) {
    n.graph().set_name("mixed" + std::to_string(mixed++), v);
    return v;
  };
  x = named(block_a(n.in("Mixed_5b"), x, 32));
  x = named(block_a(n.in("Mixed_5c"), x, 64));
  x = named(block_a(n.in("Mixed_5d"), x, 64));
  x = named(block_b(n.in("Mixed_6a"), x));
  x = named(block_c(n.in("Mixed_6b"), x, 128));
  x = named(block_c(n.in("Mixed_6c"), x, 160));
  x = named(block_c(n.in("Mixed_6d"), x, 160));
  x = named(block_c(n.in("Mixed_6e"), x, 192));
  x = named(block_d(n.in("Mixed_7a"), x));
  x = named(block_e(n.in("Mixed_7b"), x));
  x = named(block_e(n.in("Mixed_7c"), x));

  const float rate = dialect.family == Family::torchvision ? 0.5F : 0.0F;
  return pooled_head(n, x, "fc", classes, rate);
}

}  // namespace xf
