#include "models/dialect.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/core/error.h"

namespace xf {
namespace {

// The spelling of every enum in files; the order is that of the enumerators.
constexpr std::array<std::string_view, 3> kFamily{"keras", "torchvision", "caffe"};
constexpr std::array<std::string_view, 2> kGamma{"absent", "present"};
constexpr std::array<std::string_view, 2> kCounted{"excludes_padding", "counts_padding"};
constexpr std::array<std::string_view, 2> kRounding{"floor", "ceil"};
constexpr std::array<std::string_view, 2> kStride{"first_1x1", "middle_3x3"};
constexpr std::array<std::string_view, 2> kHead{"fc", "pool"};
constexpr int kMostPixels = 1 << 14;  // a side of an image: that of the largest which is read

template <class E, size_t N>
std::string_view spell(const std::array<std::string_view, N>& names, E value) {
  return names.at(static_cast<size_t>(value));
}

template <class E, size_t N>
std::optional<E> find(const std::array<std::string_view, N>& names, std::string_view text) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

bool is_resnet(std::string_view network) { return network.starts_with("resnet"); }
bool is_vgg(std::string_view network) { return network.starts_with("vgg"); }

/// Those of bottlenecks, whose stride lies in one of two places.
bool has_versions(std::string_view network) {
  return network == "resnet50" || network == "resnet101" || network == "resnet152";
}

[[noreturn]] void unknown(std::string_view network, Family family) {
  throw UsageError(std::string(network), fmt::format("{} has no network of this name", name(family)),
                   "Name another --model, or another --dialect.");
}

/// Reads one field after the other, and names the one that is wrong.
struct Fields {
  nlohmann::json json;
  const std::string& subject;

  [[noreturn]] void fail(const char* key) const {
    throw DataError(subject, fmt::format("its attribute \"dialect\" has no valid \"{}\"", key),
                    "Write the file again with this version, or use other weights.");
  }
  template <class T>
  T get(const char* key) const {
    const auto at = json.find(key);
    if (at == json.end()) fail(key);
    try {
      return at->template get<T>();
    } catch (const nlohmann::json::exception&) {
      fail(key);
    }
  }
  template <class E, size_t N>
  E get(const char* key, const std::array<std::string_view, N>& names) const {
    const auto value = find<E>(names, get<std::string>(key));
    if (!value) fail(key);
    return *value;
  }
  /// A whole number from 1 to `most`.
  int extent(const char* key, int most) const {
    const auto at = json.find(key);
    if (at == json.end() || !at->is_number_integer()) fail(key);
    const auto value = at->template get<int64_t>();
    if (value < 1 || value > most) fail(key);
    return static_cast<int>(value);
  }
};

}  // namespace

Dialect keras_dialect(std::string_view network) {
  Dialect d;
  d.family = Family::keras;
  d.resize = ResizeRule::tf_bilinear;
  if (network == "inception_v3") {
    d.bn_eps = 1e-3F;
    d.bn_gamma = BnGamma::absent;
    d.preprocess = Preprocess::tf;
    d.height = d.width = 299;
    return d;
  }
  if (network == "vgg16" || network == "vgg19") {
    d.conv_bias = ConvBias::present;
    d.preprocess = Preprocess::caffe;
    return d;
  }
  if (network == "merged_view") {
    d.conv_bias = ConvBias::present;
    d.preprocess = Preprocess::unit;
    d.resize = ResizeRule::pil_bilinear;  // no weights are known that want another; it does not alias
    d.height = 280;
    d.width = 340;
    d.channels = 1;
    return d;
  }
  if (has_versions(network)) {
    d.bn_eps = 1.001e-5F;
    d.stride = StridePlacement::first_1x1;
    d.conv_bias = ConvBias::present;
    d.preprocess = Preprocess::caffe;
    return d;
  }
  unknown(network, Family::keras);
}

Dialect torchvision_dialect(std::string_view network) {
  Dialect d;
  if (network == "inception_v3") {
    d.bn_eps = 1e-3F;
    d.average_pool = CountPadding::yes;
    // Its transform_input undoes the mean and deviation of the images and gives x / 127.5 - 1.
    d.preprocess = Preprocess::tf;
    d.height = d.width = 299;
    return d;
  }
  if (is_resnet(network) || is_vgg(network)) {
    d.preprocess = Preprocess::torch;
    if (is_vgg(network)) d.conv_bias = ConvBias::present;
    return d;
  }
  unknown(network, Family::torchvision);
}

Dialect caffe_dialect(std::string_view network) {
  if (network != "inception_v2") unknown(network, Family::caffe);
  Dialect d;
  d.family = Family::caffe;
  d.average_pool = CountPadding::yes;
  d.pool_rounding = PoolRounding::ceil;
  d.conv_bias = ConvBias::present;
  d.preprocess = Preprocess::bn_inception;
  return d;
}

std::string_view name(Family family) { return spell(kFamily, family); }

Family parse_family(std::string_view text) {
  if (const auto family = find<Family>(kFamily, text)) return *family;
  throw UsageError(fmt::format("--dialect {}", text), "is no dialect", "Use keras, torchvision or caffe.");
}

bool has_fc_head(std::string_view network) { return is_vgg(network); }

Head parse_head(std::string_view text) {
  if (const auto head = find<Head>(kHead, text)) return *head;
  throw UsageError(fmt::format("--head {}", text), "is no head", "Use fc or pool.");
}

std::string to_json(const Dialect& d) {
  nlohmann::ordered_json json;
  json["family"] = name(d.family);
  json["bn_eps"] = static_cast<double>(d.bn_eps);
  json["bn_gamma"] = spell(kGamma, d.bn_gamma);
  json["average_pool"] = spell(kCounted, d.average_pool);
  json["pool_rounding"] = spell(kRounding, d.pool_rounding);
  json["stride"] = spell(kStride, d.stride);
  json["conv_bias"] = spell(kGamma, d.conv_bias);
  json["preprocess"] = nullptr;
  if (d.preprocess) json["preprocess"] = name(*d.preprocess);
  json["resize"] = name(d.resize);
  json["height"] = d.height;
  json["width"] = d.width;
  json["channels"] = d.channels;
  json["head"] = spell(kHead, d.head);
  return json.dump();
}

Dialect parse_dialect(std::string_view text, const std::string& subject) {
  const Fields f{nlohmann::json::parse(text, nullptr, false), subject};
  Dialect d;
  d.family = f.get<Family>("family", kFamily);
  d.bn_eps = f.get<float>("bn_eps");
  d.bn_gamma = f.get<BnGamma>("bn_gamma", kGamma);
  d.average_pool = f.get<CountPadding>("average_pool", kCounted);
  d.pool_rounding = f.get<PoolRounding>("pool_rounding", kRounding);
  d.stride = f.get<StridePlacement>("stride", kStride);
  d.conv_bias = f.get<ConvBias>("conv_bias", kGamma);
  // Earlier files: square images of three channels, networks of one head.
  const bool square = f.json.contains("input_size");
  d.height = f.extent(square ? "input_size" : "height", kMostPixels);
  d.width = f.extent(square ? "input_size" : "width", kMostPixels);
  if (f.json.contains("channels")) d.channels = f.extent("channels", 3);
  if (d.channels == 2) f.fail("channels");
  if (f.json.contains("head")) d.head = f.get<Head>("head", kHead);
  try {
    d.resize = parse_resize_rule(f.get<std::string>("resize"));
  } catch (const UsageError&) {
    f.fail("resize");
  }
  if (f.json.contains("preprocess") && f.json["preprocess"].is_null()) return d;
  try {
    d.preprocess = parse_preprocess(f.get<std::string>("preprocess"));
  } catch (const UsageError&) {
    f.fail("preprocess");
  }
  return d;
}

std::string full_name(std::string_view network, const Dialect& d) {
  std::string text(network);
  if (has_versions(network)) text += d.stride == StridePlacement::first_1x1 ? " v1" : " v1.5";
  if (d.head == Head::pool) text += " with pool head";
  return text;
}

std::string describe(std::string_view network, const Dialect& d) {
  return fmt::format(
      "{} by {}: BN eps {:g}{}, {}, preprocess {}, resize {}, input {}x{}x{}", full_name(network, d),
      name(d.family), d.bn_eps, d.bn_gamma == BnGamma::absent ? " without gamma" : "",
      d.conv_bias == ConvBias::present ? "conv bias" : "no conv bias",
      d.preprocess ? name(*d.preprocess) : "unknown", name(d.resize), d.height, d.width, d.channels);
}

}  // namespace xf
