#include "tests/support/small_networks.h"

#include "models/resnet.h"

namespace xf::test {

ModelOutputs small_inception(const Net& n, Value x) {
  x = n.unit(x, {"stem", 8, 3, 2});
  const Value block =
      n.bn(n.conv(n.unit(x, {"block.a", 8, 3}), "block.b", 8, 3), "block.bn", Activation::relu, x);
  const Value first = n.unit(block, {"mixed.one", 5, 1});
  const Value wide = n.concat({first, n.unit(block, {"mixed.three", 7, {1, 3}}),
                               n.unit(n.avg_pool(block, 3, 1, Pad::half), {"mixed.pool", 4, 1}), first});
  const Value small = n.max_pool(wide, 3, 2, Pad::valid);
  const Value features = n.global_avg_pool(n.unit(small, {"last", 17, 3, 1, Pad::valid}));
  return {features, n.dense(n.dropout(features, 0.3F), "fc", kSmallClasses)};
}

ModelOutputs small_resnet(const Net& n, Value x) {
  return resnet(n, x, torchvision_dialect("resnet18"), kSmallClasses, {ResNetBlock::basic, {1, 1, 1, 1}, 8});
}

}  // namespace xf::test
