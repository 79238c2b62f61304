#pragma once
// Log lines: to stderr, so that stdout holds results alone, or wherever the program wants them.

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace xf::log {

enum class Level : uint8_t { info, warning };

using Sink = std::function<void(Level, std::string_view text)>;

/// Where the lines of the whole process go from now on; an empty one: to stderr, as at first. The sink is
/// called by one thread at a time, must not log itself, and gets lines without a newline at their end.
void set_sink(Sink sink);

void write(Level level, std::string_view text);

/// A line that tells what the program decided or does.
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}

/// A line about something the user probably wants to change.
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace xf::log
