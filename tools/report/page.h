#pragma once
// The report's single file: page, style, scripts and numbers in one.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace xf::report {

/// What every report begins with.
inline constexpr std::string_view kMark = "<!doctype html>\n<!-- xferrun report -->\n";

/// HTML that needs nothing beside it. `data` is what the scripts of this folder read.
std::string page(const std::string& title, const nlohmann::json& data);

}  // namespace xf::report
