#pragma once
// The commands of the program as the manual needs them.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace xf::manual {

/// A command: the program itself, "fine-tune", or "weights fetch" as {"weights", "fetch"}.
struct Command {
  const CLI::App* app;
  std::vector<std::string> path;
};

/// The program, then all of its commands, those of a command behind it.
std::vector<Command> commands_of(const CLI::App& program);

/// The commands of a command.
std::vector<const CLI::App*> parts_of(const CLI::App& app);

/// "--epochs" of "epochs".
std::string long_name(const CLI::Option& option);

/// Options with a long name; arguments without.
std::vector<const CLI::Option*> options_of(const CLI::App& app);
std::vector<const CLI::Option*> arguments_of(const CLI::App& app);

/// Whether something has to stand behind it.
bool takes_value(const CLI::Option& option);

/// The words with something between them.
std::string joined(const std::vector<std::string>& words, const std::string& between);

/// The texts that the manual consists of.
std::string page(const CLI::App& program, const Command& command);
std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace xf::manual
