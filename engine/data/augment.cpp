#include "engine/data/augment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/rng.h"

namespace xf {

namespace {

constexpr uint64_t kAugmentStream = uint64_t{0x617567} << 32;

[[noreturn]] void refuse(const std::string& item, const std::string& reason) {
  throw UsageError("--augment " + item, reason,
                   "Choose from: time-shift=F, frequency-shift=F (fractions up to 0.5), gain=F (up to 1), "
                   "flip-time.");
}

float read_fraction(const std::string& item, std::string_view text, float most) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= most))
    refuse(item, fmt::format("\"{}\" is no number from 0 to {}", text, most));
  return value;
}

/// Uniform in -most … most.
float around_zero(uint32_t bits, float most) { return (2 * unit_float(bits) - 1) * most; }

/// Where each position is taken from, mirrored at the edges (… 1 0 | 0 1 2 … n-1 | n-1 n-2 …).
std::vector<size_t> shifted(int length, int by) {
  std::vector<size_t> from(static_cast<size_t>(length));
  for (int i = 0; i < length; ++i) {
    int at = i - by;
    if (at < 0) at = -1 - at;
    if (at >= length) at = 2 * length - 1 - at;
    from[static_cast<size_t>(i)] = static_cast<size_t>(at);
  }
  return from;
}

}  // namespace

Augment parse_augment(std::span<const std::string> items) {
  Augment result;
  for (const std::string& item : items) {
    const size_t equals = item.find('=');
    const std::string_view key = std::string_view(item).substr(0, equals);
    const std::string_view value =
        equals == std::string::npos ? std::string_view() : std::string_view(item).substr(equals + 1);
    if (key == "time-shift") {
      result.time_shift = read_fraction(item, value, 0.5F);
    } else if (key == "frequency-shift") {
      result.frequency_shift = read_fraction(item, value, 0.5F);
    } else if (key == "gain") {
      result.gain = read_fraction(item, value, 1);
    } else if (item == "flip-time") {
      result.flip_time = true;
    } else {
      refuse(item, "is not known");
    }
  }
  return result;
}

void augment(const Augment& options, uint64_t seed, int64_t epoch, int64_t sample, int height, int width,
             std::span<const uint8_t> in, std::span<uint8_t> out) {
  const Philox4 draw =
      philox(seed, kAugmentStream + static_cast<uint64_t>(epoch), static_cast<uint64_t>(sample));
  const auto pixels = [](float fraction, int length) {
    return static_cast<int>(std::lround(fraction * static_cast<float>(length)));
  };
  std::vector<size_t> columns = shifted(width, pixels(around_zero(draw.v[0], options.time_shift), width));
  const std::vector<size_t> rows =
      shifted(height, pixels(around_zero(draw.v[1], options.frequency_shift), height));
  if (options.flip_time && (draw.v[3] & 1U) != 0) std::reverse(columns.begin(), columns.end());

  const float factor = 1 + around_zero(draw.v[2], options.gain);
  std::array<uint8_t, 256> brightness{};
  for (size_t i = 0; i < brightness.size(); ++i)
    brightness[i] = static_cast<uint8_t>(std::min(255.0F, static_cast<float>(i) * factor + 0.5F));

  const size_t channels = in.size() / (rows.size() * columns.size());
  size_t at = 0;
  for (const size_t y : rows)
    for (const size_t x : columns)
      for (size_t c = 0; c < channels; ++c)
        out[at++] = brightness[in[(y * columns.size() + x) * channels + c]];
}

}  // namespace xf
