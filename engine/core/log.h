#pragma once
// Log lines: to stderr, so that stdout holds results alone.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace xf::log {

void write_info(std::string_view text);
void write_warning(std::string_view text);
/// From now on only warnings are written, with `prefix` before their text.
void warnings_only(const std::string& prefix);

/// A line that tells what the program decided or does.
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write_info(fmt::format(format, std::forward<Args>(args)...));
}

/// A line about something the user probably wants to change.
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write_warning(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace xf::log
