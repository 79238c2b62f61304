#include "engine/data/duration.h"

namespace xf {

std::string_view name(Duration duration) {
  constexpr std::array<std::string_view, kDurations.size()> names = {"0.5", "1.0", "2.0", "4.0"};
  return names[static_cast<size_t>(duration)];
}

std::optional<Duration> parse_duration(std::string_view text) {
  for (const Duration d : kDurations)
    if (text == name(d)) return d;
  return std::nullopt;
}

std::optional<DurationName> split_duration(std::string_view text) {
  const size_t slash = text.rfind('/');
  const size_t file = slash == std::string_view::npos ? 0 : slash + 1;
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot <= file) return std::nullopt;
  const std::string_view whole = text.substr(0, dot), folder = text.substr(0, file == 0 ? 0 : file - 1);
  if (const auto d = parse_duration(whole.substr(file)); d && folder.find('/') != std::string_view::npos)
    return DurationName{std::string(folder), *d};
  const size_t score = whole.rfind('_');
  if (score == std::string_view::npos || score <= file) return std::nullopt;
  const auto d = parse_duration(whole.substr(score + 1));
  if (!d) return std::nullopt;
  return DurationName{std::string(whole.substr(0, score)), *d};
}

}  // namespace xf
