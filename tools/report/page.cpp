#include "tools/report/page.h"

#include <map>
#include <string_view>

#include "engine/core/embed.h"

XFERRUN_EMBED(xferrun_report_page, XFERRUN_REPORT "/page.html")
XFERRUN_EMBED(xferrun_report_style, XFERRUN_REPORT "/style.css")
XFERRUN_EMBED(xferrun_report_elements, XFERRUN_REPORT "/elements.js")
XFERRUN_EMBED(xferrun_report_charts, XFERRUN_REPORT "/charts.js")
XFERRUN_EMBED(xferrun_report_sections, XFERRUN_REPORT "/sections.js")
XFERRUN_EMBED(xferrun_report_scene, XFERRUN_REPORT "/scene.js")
XFERRUN_EMBED(xferrun_report_map, XFERRUN_REPORT "/map.js")
XFERRUN_EMBED(xferrun_report_main, XFERRUN_REPORT "/main.js")
XFERRUN_EMBED(xferrun_report_three, XFERRUN_THREE)

namespace xf::report {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  return out;
}

/// JSON that may stand in a script element: no end of it, and no comment, begins inside.
std::string inside_script(const nlohmann::json& data) {
  std::string out;
  for (const char c : data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  return out;
}

}  // namespace

std::string page(const std::string& title, const nlohmann::json& data) {
  std::string script = "\"use strict\";\n(function () {\n";
  for (const std::string_view part :
       {XFERRUN_EMBEDDED(xferrun_report_elements), XFERRUN_EMBEDDED(xferrun_report_charts),
        XFERRUN_EMBEDDED(xferrun_report_sections), XFERRUN_EMBEDDED(xferrun_report_scene),
        XFERRUN_EMBEDDED(xferrun_report_map), XFERRUN_EMBEDDED(xferrun_report_main)})
    script += part;
  script += "})();\n";
  const std::map<std::string_view, std::string> parts{
      {"title", escaped(title)},
      {"style", std::string(XFERRUN_EMBEDDED(xferrun_report_style))},
      {"three", std::string(XFERRUN_EMBEDDED(xferrun_report_three))},
      {"script", script},
      {"data", inside_script(data)}};
  std::string out(kMark);
  std::string_view rest = XFERRUN_EMBEDDED(xferrun_report_page);
  for (size_t open = rest.find("{{"); open != std::string_view::npos; open = rest.find("{{")) {
    const size_t close = rest.find("}}", open);
    out.append(rest.substr(0, open));
    out.append(parts.at(rest.substr(open + 2, close - open - 2)));
    rest.remove_prefix(close + 2);
  }
  return out.append(rest);
}

}  // namespace xf::report
