#include "models/inception_v2.h"

#include <string>

#include "models/pooled_head.h"

namespace xf {

namespace {

/// Convolution, batch normalisation, ReLU; the normalisation is a sibling of the convolution.
Value unit(const Net& n, Value x, const std::string& name, int channels, int kernel, int stride = 1) {
  return n.bn(n.conv(x, name, channels, kernel, stride), name + "_bn", Activation::relu);
}

enum class Shortcut : uint8_t { average, max };

/// A row of the paper's table: output channels of the branches; two 3×3 convolutions make the double one.
struct Block {
  const char* name;
  int one, reduce, three, reduce_double, twice;
  Shortcut pool;
  int projection;
};

constexpr Block kBlocks[] = {
    {"3a", 64, 64, 64, 64, 96, Shortcut::average, 32},        // 28×28
    {"3b", 64, 64, 96, 64, 96, Shortcut::average, 64},        //
    {"3c", 0, 128, 160, 64, 96, Shortcut::max, 0},            // to 14×14
    {"4a", 224, 64, 96, 96, 128, Shortcut::average, 128},     //
    {"4b", 192, 96, 128, 96, 128, Shortcut::average, 128},    //
    {"4c", 160, 128, 160, 128, 160, Shortcut::average, 128},  //
    {"4d", 96, 128, 192, 160, 192, Shortcut::average, 128},   //
    {"4e", 0, 128, 192, 192, 256, Shortcut::max, 0},          // to 7×7
    {"5a", 352, 192, 320, 160, 224, Shortcut::average, 128},  //
    {"5b", 352, 192, 320, 192, 224, Shortcut::max, 128},      //
};

/// A block without 1×1 branch halves the map, and its pool is passed on as it is.
Value block(const Net& n, Value x, const Block& b) {
  const std::string name = std::string("inception_") + b.name;
  const bool halves = b.one == 0;
  const int stride = halves ? 2 : 1;
  std::vector<Value> branches;
  if (!halves) branches.push_back(unit(n, x, name + "_1x1", b.one, 1));
  const Value reduced = unit(n, x, name + "_3x3_reduce", b.reduce, 1);
  branches.push_back(unit(n, reduced, name + "_3x3", b.three, 3, stride));
  const Value once = unit(n, unit(n, x, name + "_double_3x3_reduce", b.reduce_double, 1),
                          name + "_double_3x3_1", b.twice, 3);
  branches.push_back(unit(n, once, name + "_double_3x3_2", b.twice, 3, stride));
  const Pad pad = halves ? Pad::valid : Pad::half;
  const Value pooled = b.pool == Shortcut::max ? n.max_pool(x, 3, stride, pad) : n.avg_pool(x, 3, 1, pad);
  branches.push_back(halves ? pooled : unit(n, pooled, name + "_pool_proj", b.projection, 1));
  const Value out = n.concat(branches);
  n.graph().set_name(name + "_output", out);
  return out;
}

}  // namespace

ModelOutputs inception_v2(const Net& n, Value x, const Dialect& /*dialect*/, int classes) {
  x = unit(n, x, "conv1_7x7_s2", 64, 7, 2);
  x = n.max_pool(x, 3, 2, Pad::valid);
  x = unit(n, unit(n, x, "conv2_3x3_reduce", 64, 1), "conv2_3x3", 192, 3);
  x = n.max_pool(x, 3, 2, Pad::valid);
  for (const Block& b : kBlocks) x = block(n, x, b);
  return pooled_head(n, x, "last_linear", classes);
}

}  // namespace xf
