#include "engine/data/preprocess.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "engine/core/error.h"

namespace xf {

namespace {

constexpr std::array<std::string_view, 5> kModes = {"tf", "caffe", "torch", "unit", "bn_inception"};
constexpr std::array<std::string_view, 2> kRules = {"tf_bilinear", "pil_bilinear"};

template <class Enum, size_t N>
Enum parse(std::string_view option, const std::array<std::string_view, N>& names, std::string_view text) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  throw UsageError(std::string(option), fmt::format("there is no \"{}\"", text),
                   fmt::format("Choose one of: {}.", fmt::join(names, ", ")));
}

}  // namespace

Normalization normalization(Preprocess mode) {
  constexpr float unit = 1.0F / 255.0F;
  switch (mode) {
    case Preprocess::tf: return {{1 / 127.5F, 1 / 127.5F, 1 / 127.5F}, {-1, -1, -1}, ChannelOrder::rgb};
    case Preprocess::caffe: return {{1, 1, 1}, {-103.939F, -116.779F, -123.68F}, ChannelOrder::bgr};
    case Preprocess::torch:
      return {{unit / 0.229F, unit / 0.224F, unit / 0.225F},
              {-0.485F / 0.229F, -0.456F / 0.224F, -0.406F / 0.225F},
              ChannelOrder::rgb};
    case Preprocess::bn_inception: return {{1, 1, 1}, {-104, -117, -128}, ChannelOrder::bgr};
    case Preprocess::unit: break;
  }
  return {{unit, unit, unit}, {0, 0, 0}, ChannelOrder::rgb};
}

bool suits_grey(Preprocess mode) { return mode == Preprocess::tf || mode == Preprocess::unit; }

void to_grey(std::span<const uint8_t> rgb, std::span<uint8_t> grey) {
  for (size_t i = 0; i < grey.size(); ++i) {
    const uint8_t* p = &rgb[3 * i];
    // In ten thousandths: their sum is exact, and a grey pixel keeps its value.
    grey[i] = static_cast<uint8_t>((2125U * p[0] + 7154U * p[1] + 721U * p[2] + 5000U) / 10000U);
  }
}

std::string_view name(Preprocess mode) { return kModes[static_cast<size_t>(mode)]; }
std::string_view name(ResizeRule rule) { return kRules[static_cast<size_t>(rule)]; }

Preprocess parse_preprocess(std::string_view text) { return parse<Preprocess>("--preprocess", kModes, text); }

ResizeRule parse_resize_rule(std::string_view text) { return parse<ResizeRule>("--resize", kRules, text); }

}  // namespace xf
