#include "tools/xferrun/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/core/error.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/json_file.h"

namespace xf::tool {

namespace {

constexpr const char* kOption = "--config";
constexpr const char* kExample = R"(write one object of options: {"epochs": 5, "deterministic": true})";

/// The file that --config names, the last if there are several; empty without.
std::string named_file(const std::vector<std::string>& arguments) {
  std::string file;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == kOption && i + 1 < arguments.size()) file = arguments[i + 1];
    if (arguments[i].starts_with("--config=")) file = arguments[i].substr(9);
  }
  return file;
}

bool gives(const std::vector<std::string>& arguments, const std::string& option) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const std::string& a) { return a == option || a.starts_with(option + "="); });
}

/// One option of a JSON object as arguments.
class Arguments {
 public:
  Arguments(const std::string& source, const std::string& key) : source_(source), key_(key) {}

  std::vector<std::string> of(const CLI::Option& option, const nlohmann::ordered_json& value) const {
    if (option.get_items_expected_max() == 0) {
      if (!value.is_boolean()) refuse("must be true or false");
      return value.get<bool>() ? std::vector{"--" + key_} : std::vector<std::string>{};
    }
    if (!value.is_array()) return {one(value)};
    if (option.get_expected_max() <= 1) refuse("takes one value, not a list");
    std::vector<std::string> result;
    for (const auto& element : value) result.push_back(one(element));
    return result;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(source_, fmt::format("\"{}\" {}", key_, why),
                    fmt::format("correct it, or give --{} on the command line", key_));
  }
  [[nodiscard]] std::string one(const nlohmann::ordered_json& value) const {
    if (!value.is_string() && !value.is_number()) refuse("must be a number or a string");
    return fmt::format("--{}={}", key_, value.is_string() ? value.get<std::string>() : value.dump());
  }

  const std::string &source_, &key_;
};

}  // namespace

std::vector<std::string> with_config_file(const CLI::App& app, const std::vector<std::string>& arguments) {
  const std::string file = named_file(arguments);
  if (file.empty() || chosen_command(app, arguments).app->get_option_no_throw(kOption) == nullptr)
    return arguments;
  return with_options(app, arguments, read_json_object(file, kExample), file);
}

std::vector<std::string> with_options(const CLI::App& app, const std::vector<std::string>& arguments,
                                      const nlohmann::ordered_json& options, const std::string& source) {
  const ChosenCommand command = chosen_command(app, arguments);
  const auto at = arguments.begin() + command.words;
  std::vector<std::string> result(arguments.begin(), at);
  for (const auto& [key, value] : options.items()) {
    const CLI::Option* option = command.app->get_option_no_throw("--" + key);
    if (option == nullptr || key == "config" || key == "help")
      throw UsageError(source,
                       fmt::format("\"{}\" is no option of {} that can stand there", key, command.name),
                       fmt::format("see {} --help", command.name));
    if (gives(arguments, "--" + key)) continue;
    for (std::string& argument : Arguments(source, key).of(*option, value))
      result.push_back(std::move(argument));
  }
  result.insert(result.end(), at, arguments.end());
  return result;
}

}  // namespace xf::tool
