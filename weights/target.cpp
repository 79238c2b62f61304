#include "weights/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/error.h"

namespace xf::weights {
namespace {

constexpr std::array<std::pair<std::string_view, Target>, 3> kTargets{
    {{"keras", Target::keras}, {"keras3", Target::keras3}, {"torchvision", Target::torchvision}}};

constexpr float kV0_2Epsilon = 1e-3F;

/// Whose class it is, and how that class computes; nothing where there is none.
struct TargetClass {
  std::string_view owner;
  Dialect dialect;
};

std::optional<TargetClass> find_class(Target target, std::string_view network, KerasNames names) {
  try {
    if (target != Target::torchvision) {
      Dialect d = keras_dialect(network);
      if (target == Target::keras && names == KerasNames::v0_2) d.bn_eps = kV0_2Epsilon;
      return TargetClass{"Keras", d};
    }
    if (network == "inception_v2") return TargetClass{"Cadene", caffe_dialect(network)};
    return TargetClass{"torchvision", torchvision_dialect(network)};
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

bool has_norms(std::string_view network) {
  return network != "merged_view" && (!network.starts_with("vgg") || network.ends_with("_bn"));
}

}  // namespace

Target parse_target(std::string_view text) {
  for (const auto& [name, target] : kTargets) {
    if (name == text) return target;
  }
  throw UsageError(fmt::format("--to {}", text), "is no layout that is written",
                   "Use keras, keras3 or torchvision.");
}

KerasNames keras_names(std::string_view network, const Dialect& dialect) {
  return network == "resnet50" && dialect.bn_eps == kV0_2Epsilon ? KerasNames::v0_2 : KerasNames::current;
}

std::string cannot_express(Target target, std::string_view network, const Dialect& dialect) {
  if (target == Target::run) return {};
  const auto made = find_class(target, network, keras_names(network, dialect));
  if (!made)
    return fmt::format("{} has no {}", target == Target::torchvision ? "torchvision" : "Keras", network);
  const Dialect& d = made->dialect;
  const std::string_view owner = made->owner;
  std::vector<std::string> reasons;
  if (has_norms(network) && dialect.bn_eps != d.bn_eps) {
    reasons.push_back(
        fmt::format("its normalisations have the epsilon {:g}, {}'s {:g}", dialect.bn_eps, owner, d.bn_eps));
  }
  if (has_norms(network) && dialect.bn_gamma != d.bn_gamma) {
    const bool has = dialect.bn_gamma == BnGamma::present;
    reasons.push_back(fmt::format("its normalisations have {} gamma, {}'s have {}", has ? "a" : "no", owner,
                                  has ? "none" : "one"));
  }
  if (dialect.conv_bias != d.conv_bias) {
    const bool has = dialect.conv_bias == ConvBias::present;
    reasons.push_back(fmt::format("its convolutions have {} bias, {}'s have {}", has ? "a" : "no", owner,
                                  has ? "none" : "one"));
  }
  if (dialect.average_pool != d.average_pool) {
    const bool counts = dialect.average_pool == CountPadding::yes;
    reasons.push_back(fmt::format("its average pools {} padding, {}'s {}", counts ? "count" : "exclude",
                                  owner, counts ? "exclude it" : "count it"));
  }
  if (dialect.pool_rounding != d.pool_rounding) {
    reasons.push_back(fmt::format("its pools round their size the other way than {}'s", owner));
  }
  if (dialect.stride != d.stride) {
    const bool first = dialect.stride == StridePlacement::first_1x1;
    reasons.push_back(
        fmt::format("it is {}, {}'s is {}", full_name(network, dialect), owner, first ? "v1.5" : "v1"));
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace xf::weights
