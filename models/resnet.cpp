#include "models/resnet.h"

#include <string>

#include "models/pooled_head.h"

namespace xf {

namespace {

Value shortcut(const Net& n, Value x, int channels, int stride) {
  if (stride == 1 && x.shape().c == channels) return x;
  const Net down = n.in("downsample");
  return down.bn(down.conv(x, "0", channels, 1, stride), "1", Activation::none);
}

Value basic(const Net& n, Value x, int channels, int stride) {
  const Value a = n.bn(n.conv(x, "conv1", channels, 3, stride), "bn1", Activation::relu);
  const Value b = n.conv(a, "conv2", channels, 3);
  return n.bn(b, "bn2", Activation::relu, shortcut(n, x, channels, stride));
}

Value bottleneck(const Net& n, Value x, int channels, int stride, StridePlacement place) {
  const bool first = place == StridePlacement::first_1x1;
  const Value a = n.bn(n.conv(x, "conv1", channels, 1, first ? stride : 1), "bn1", Activation::relu);
  const Value b = n.bn(n.conv(a, "conv2", channels, 3, first ? 1 : stride), "bn2", Activation::relu);
  const Value c = n.conv(b, "conv3", 4 * channels, 1);
  return n.bn(c, "bn3", Activation::relu, shortcut(n, x, 4 * channels, stride));
}

}  // namespace

ModelOutputs resnet(const Net& n, Value x, const Dialect& dialect, int classes, const ResNetPlan& plan) {
  x = n.bn(n.conv(x, "conv1", plan.width, 7, 2), "bn1", Activation::relu);
  x = n.max_pool(x, 3, 2, Pad::half);
  for (int stage = 0; stage < 4; ++stage) {
    const std::string layer = "layer" + std::to_string(stage + 1);
    for (int i = 0; i < plan.depth[static_cast<size_t>(stage)]; ++i) {
      const Net block = n.in(layer).in(std::to_string(i));
      const int channels = plan.width << stage, stride = stage > 0 && i == 0 ? 2 : 1;
      x = plan.block == ResNetBlock::basic ? basic(block, x, channels, stride)
                                           : bottleneck(block, x, channels, stride, dialect.stride);
    }
    n.graph().set_name(layer, x);
  }
  return pooled_head(n, x, "fc", classes);
}

}  // namespace xf
