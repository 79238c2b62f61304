#pragma once
// ResNet: He et al. 2016, "Deep residual learning for image recognition".

#include <array>

#include "engine/graph/net.h"
#include "models/dialect.h"

namespace xf {

enum class ResNetBlock : uint8_t { basic, bottleneck };

struct ResNetPlan {
  ResNetBlock block;
  std::array<int, 4> depth;  ///< blocks in each of the four stages
  int width = 64;            ///< channels of the stem; the stages have 1, 2, 4 and 8 times as many
};

/// Features: 8 × width (basic) or 32 × width (bottleneck). The dialect places a bottleneck's stride: in its
/// first 1×1 convolution (v1, the paper and Keras) or in the 3×3 one (v1.5, torchvision).
ModelOutputs resnet(const Net& n, Value x, const Dialect& dialect, int classes, const ResNetPlan& plan);

}  // namespace xf
