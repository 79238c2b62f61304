#include "engine/data/view.h"

#include <fmt/format.h>

#include "engine/core/error.h"

namespace xf {

namespace {

[[noreturn]] void refuse(std::string_view text) {
  throw UsageError(
      "--view", fmt::format("there is no \"{}\"", text),
      "Write single:T, merged, stack:T,T,T (as R, G, B) or all; each T is 0.5, 1.0, 2.0 or 4.0.");
}

std::vector<Duration> durations_of(std::string_view list, std::string_view whole) {
  std::vector<Duration> result;
  for (size_t from = 0; from <= list.size();) {
    const size_t comma = std::min(list.find(',', from), list.size());
    const auto duration = parse_duration(list.substr(from, comma - from));
    if (!duration) refuse(whole);
    result.push_back(*duration);
    from = comma + 1;
  }
  return result;
}

}  // namespace

std::vector<Duration> View::needed() const {
  if (kind == Kind::merged || kind == Kind::all) return {kDurations.begin(), kDurations.end()};
  return durations;
}

View parse_view(std::string_view text) {
  constexpr std::string_view single = "single:", stack = "stack:";
  if (text.empty()) return {};
  if (text == "merged") return {View::Kind::merged};
  if (text == "all") return {View::Kind::all};
  View view;
  if (text.starts_with(single)) view = {View::Kind::single, durations_of(text.substr(single.size()), text)};
  if (text.starts_with(stack)) view = {View::Kind::stack, durations_of(text.substr(stack.size()), text)};
  const size_t wanted = view.kind == View::Kind::single ? 1 : 3;
  if (view.durations.size() != wanted) refuse(text);
  return view;
}

std::string name(const View& view) {
  switch (view.kind) {
    case View::Kind::plain: return "";
    case View::Kind::merged: return "merged";
    case View::Kind::all: return "all";
    default: break;
  }
  std::string text;
  for (const Duration d : view.durations) text += (text.empty() ? "" : ",") + std::string(name(d));
  return (view.kind == View::Kind::single ? "single:" : "stack:") + text;
}

}  // namespace xf
