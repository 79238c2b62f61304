#include "tools/xferrun/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/xferrun/command.h"
#include "tools/xferrun/config_file.h"

namespace xf::tool {

namespace {

std::string names_of_commands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* sub : app.get_subcommands({})) names += (names.empty() ? "" : ", ") + sub->get_name();
  return names;
}

/// "a whole number" for an option's type.
std::string takes(const CLI::Option* option) {
  const std::string type = option == nullptr ? "" : option->get_type_name();
  if (type.starts_with("INT")) return "a whole number";
  if (type.starts_with("UINT")) return "a whole number, 0 or more";
  if (type.starts_with("FLOAT")) return "a number";
  return "another value";
}

/// The parser's message as WHAT and WHY.
UsageError usage_error(const CLI::App& app, const ChosenCommand& command, const CLI::ParseError& error) {
  const std::string text = error.what(), help = "see " + command.name + " --help";
  const auto before = [&](const char* mark) { return text.substr(0, text.find(mark)); };
  const auto after = [&](const char* mark) {
    return text.substr(text.find(mark) + std::string_view(mark).size());
  };
  const auto says = [&](const char* mark) { return text.find(mark) != std::string::npos; };
  const bool wants_command = command.app->get_require_subcommand_min() > 0;
  if (const auto strangers = app.remaining(true); !strangers.empty())
    return {strangers.front(),
            fmt::format("is no {} of {}", wants_command ? "command" : "option or argument", command.name),
            wants_command ? "choose one of: " + names_of_commands(*command.app) : help};
  if (wants_command)
    return {command.name, "needs a command", "choose one of: " + names_of_commands(*command.app)};
  if (says(" excludes "))
    return {before(" excludes "), "cannot be given together with " + after(" excludes "), help};
  if (says(" is required")) return {before(" is required"), "is needed", help};
  if (const std::string lead = "Could not convert: "; text.starts_with(lead) && says(" = ")) {
    const std::string name = text.substr(lead.size(), text.find(" = ") - lead.size());
    return {name,
            fmt::format("takes {}, not \"{}\"", takes(command.app->get_option_no_throw(name)), after(" = ")),
            help};
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && says(": "))
    return {before(": "), says("At Most") ? "is given more than once" : "needs a value", help};
  if (says(": ")) return {before(": "), after(": "), help};
  return {command.name, text, help};
}

CLI::Validator number_check(const std::string& description, bool (*good)(double, double, double), double low,
                            double high) {
  return {[=](const std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && good(value, low, high))
              return std::string();
            return fmt::format("must be {}, not {}", description, text);
          },
          ""};
}

}  // namespace

ChosenCommand chosen_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  ChosenCommand chosen{&app, app.get_name(), 0};
  for (const std::string& word : arguments) {
    const auto subs = chosen.app->get_subcommands({});
    const auto it =
        std::find_if(subs.begin(), subs.end(), [&](const CLI::App* s) { return s->get_name() == word; });
    if (it == subs.end()) break;
    chosen = {*it, chosen.name + " " + word, chosen.words + 1};
  }
  return chosen;
}

void run_command_line(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = with_config_file(app, arguments);
  std::reverse(all.begin(), all.end());  // as the parser wants them
  try {
    app.parse(all);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success))
      throw usage_error(app, chosen_command(app, arguments), error);
    std::ostringstream text;  // --help, --version
    app.exit(error, text, text);
    std::string shown = text.str();
    if (shown.ends_with('\n')) shown.pop_back();
    print_line(shown);
  }
}

CLI::Validator above_zero() {
  return number_check(
      "above 0", [](double v, double, double) { return v > 0; }, 0, 0);
}

CLI::Validator at_least_zero() {
  return number_check(
      "0 or more", [](double v, double, double) { return v >= 0; }, 0, 0);
}

CLI::Validator between(double low, double high) {
  return number_check(
      fmt::format("from {} to {}", low, high), [](double v, double l, double h) { return v >= l && v <= h; },
      low, high);
}

}  // namespace xf::tool
