#pragma once
// --config FILE.json: options from a file.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace xf::tool {

/// The arguments of the command line (without the program's name) with the options of its --config file put
/// in behind the command, those left out that the command line gives itself.
///
/// The file holds one object whose keys are long option names without dashes: {"epochs": 5, "freeze":
/// ["Conv2d_*"], "deterministic": true}. Throws MissingInputError; DataError for what is not JSON or a value
/// of the wrong kind, UsageError for a key that is no option of the command.
std::vector<std::string> with_config_file(const CLI::App& app, const std::vector<std::string>& arguments);

/// The same of options that are here already: `arguments` with those put in behind the command. `source`
/// names them in errors.
std::vector<std::string> with_options(const CLI::App& app, const std::vector<std::string>& arguments,
                                      const nlohmann::ordered_json& options, const std::string& source);

}  // namespace xf::tool
