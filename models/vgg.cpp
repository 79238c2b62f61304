#include "models/vgg.h"

#include <fmt/format.h>

namespace xf {

ModelOutputs vgg(const Net& n, Value x, const Dialect& dialect, int classes, const VggPlan& plan) {
  constexpr std::array kChannels{64, 128, 256, 512, 512};
  const Net trunk = n.in("features"), top = n.in("classifier");
  int layer = 0;  // torchvision numbers convolutions, normalisations, activations and pools alike
  for (size_t block = 0; block < kChannels.size(); ++block) {
    for (int i = 1; i <= plan.depth[block]; ++i) {
      x = trunk.conv(x, std::to_string(layer++), kChannels[block], 3);
      if (plan.norm == HasNorm::yes)
        x = trunk.bn(x, std::to_string(layer++), Activation::relu);
      else
        x = trunk.relu(x);
      ++layer;
      n.graph().set_name(fmt::format("block{}_conv{}", block + 1, i), x);
    }
    x = trunk.max_pool(x, 2, 2, Pad::valid);
    ++layer;
    n.graph().set_name(fmt::format("block{}_pool", block + 1), x);
  }

  Value features = n.global_avg_pool(x);
  n.graph().set_name("pool", features);
  const bool fc = dialect.head == Head::fc;
  const float rate = fc && dialect.family == Family::torchvision ? 0.5F : 0.0F;
  if (fc) {
    const Value first = top.relu(top.dense(x, "0", 4096));
    features = top.relu(top.dense(top.dropout(first, rate), "3", 4096));
  }
  n.graph().set_name("features", features);
  if (classes == 0) return {features, {}};
  return {features, top.dense(top.dropout(features, rate), "6", classes)};
}

}  // namespace xf
