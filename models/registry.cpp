#include "models/registry.h"

#include <algorithm>
#include <array>

#include "engine/core/error.h"
#include "models/inception_v2.h"
#include "models/inception_v3.h"
#include "models/merged_view.h"
#include "models/resnet.h"
#include "models/vgg.h"

namespace xf {

namespace {

template <ResNetBlock Block, int A, int B, int C, int D, int Width>
ModelOutputs build_resnet(const Net& n, Value x, const Dialect& dialect, int classes) {
  return resnet(n, x, dialect, classes, {Block, {A, B, C, D}, Width});
}

template <HasNorm Norm, int A, int B, int C, int D, int E>
ModelOutputs build_vgg(const Net& n, Value x, const Dialect& dialect, int classes) {
  return vgg(n, x, dialect, classes, {{A, B, C, D, E}, Norm});
}

constexpr auto kBasic = ResNetBlock::basic, kBottleneck = ResNetBlock::bottleneck;
constexpr auto kPlain = HasNorm::no, kNorm = HasNorm::yes;
constexpr auto kKeras = Family::keras, kTorchvision = Family::torchvision, kCaffe = Family::caffe;

constexpr std::array kModels{
    ModelInfo{"inception_v2", kCaffe, "last_linear", inception_v2},
    ModelInfo{"inception_v3", kKeras, "fc", inception_v3},
    ModelInfo{"resnet18", kTorchvision, "fc", build_resnet<kBasic, 2, 2, 2, 2, 64>},
    ModelInfo{"resnet34", kTorchvision, "fc", build_resnet<kBasic, 3, 4, 6, 3, 64>},
    ModelInfo{"resnet50", kTorchvision, "fc", build_resnet<kBottleneck, 3, 4, 6, 3, 64>},
    ModelInfo{"resnet101", kTorchvision, "fc", build_resnet<kBottleneck, 3, 4, 23, 3, 64>},
    ModelInfo{"resnet152", kTorchvision, "fc", build_resnet<kBottleneck, 3, 8, 36, 3, 64>},
    ModelInfo{"vgg11", kTorchvision, "classifier.6", build_vgg<kPlain, 1, 1, 2, 2, 2>},
    ModelInfo{"vgg13", kTorchvision, "classifier.6", build_vgg<kPlain, 2, 2, 2, 2, 2>},
    ModelInfo{"vgg16", kTorchvision, "classifier.6", build_vgg<kPlain, 2, 2, 3, 3, 3>},
    ModelInfo{"vgg19", kTorchvision, "classifier.6", build_vgg<kPlain, 2, 2, 4, 4, 4>},
    ModelInfo{"vgg11_bn", kTorchvision, "classifier.6", build_vgg<kNorm, 1, 1, 2, 2, 2>},
    ModelInfo{"vgg13_bn", kTorchvision, "classifier.6", build_vgg<kNorm, 2, 2, 2, 2, 2>},
    ModelInfo{"vgg16_bn", kTorchvision, "classifier.6", build_vgg<kNorm, 2, 2, 3, 3, 3>},
    ModelInfo{"vgg19_bn", kTorchvision, "classifier.6", build_vgg<kNorm, 2, 2, 4, 4, 4>},
    ModelInfo{"merged_view", kKeras, "fc2", merged_view},
    // A quarter of ResNet-18's channels: the network that `demo` fine-tunes.
    ModelInfo{"resnet18_narrow", kTorchvision, "fc", build_resnet<kBasic, 2, 2, 2, 2, 16>},
};

}  // namespace

const ModelInfo& find_model(std::string_view name) {
  for (const ModelInfo& m : kModels)
    if (m.name == name) return m;
  std::string known;
  for (const ModelInfo& m : kModels) known += (known.empty() ? "" : ", ") + std::string(m.name);
  throw UsageError("--model " + std::string(name), "is not a network of this program",
                   "choose one of: " + known);
}

std::vector<std::string_view> model_names() {
  std::vector<std::string_view> names;
  names.reserve(kModels.size());
  for (const ModelInfo& m : kModels) names.push_back(m.name);
  return names;
}

NetOptions net_options(const Dialect& dialect) {
  NetOptions o;
  o.bn_eps = dialect.bn_eps;
  o.bn_gamma = dialect.bn_gamma == BnGamma::present ? HasGamma::yes : HasGamma::no;
  o.conv_bias = dialect.conv_bias == ConvBias::present ? HasBias::yes : HasBias::no;
  o.average_counts_padding = dialect.average_pool;
  o.pool_rounding = dialect.pool_rounding;
  return o;
}

Dialect family_dialect(Family family, std::string_view model) {
  switch (family) {
    case Family::keras: return keras_dialect(model);
    case Family::torchvision: return torchvision_dialect(model);
    case Family::caffe: return caffe_dialect(model);
  }
  throw InternalError("a dialect's family", "is none");
}

}  // namespace xf
