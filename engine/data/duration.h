#pragma once
// How many seconds a spectrogram shows: Gravity Spy draws every glitch over four durations.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xf {

enum class Duration : uint8_t { half, one, two, four };

inline constexpr std::array kDurations{Duration::half, Duration::one, Duration::two, Duration::four};

/// "0.5", "1.0", "2.0", "4.0".
std::string_view name(Duration duration);
/// The duration of that name; none for anything else.
std::optional<Duration> parse_duration(std::string_view text);

/// What an image's name says of its duration.
struct DurationName {
  std::string stem;  ///< the name without extension and duration
  Duration duration;
};
/// "Blip/a_0.5.png" shows half a second of Blip/a, "Blip/train/a/0.5.png" (below two folders or more, of
/// which the last is the glitch) of Blip/train/a. Nothing for a name without duration, or with nothing before
/// it.
std::optional<DurationName> split_duration(std::string_view name);

}  // namespace xf
