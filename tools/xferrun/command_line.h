#pragma once
// From the words of the command line to a command that runs.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "engine/core/error.h"

namespace xf::tool {

/// The command that a command line chooses.
struct ChosenCommand {
  const CLI::App* app;
  std::string name;      ///< "xferrun data scan"
  std::ptrdiff_t words;  ///< how many arguments name it
};
ChosenCommand chosen_command(const CLI::App& app, const std::vector<std::string>& arguments);

/// Parses the arguments (without the program's name) and runs the chosen command, or prints help or version.
/// Throws UsageError for words that cannot be used, and whatever the command throws.
void run_command_line(CLI::App& app, const std::vector<std::string>& arguments);

/// Checks of numbers. The parser's own let NaN and infinity pass.
CLI::Validator above_zero();
CLI::Validator at_least_zero();
CLI::Validator between(double low, double high);

/// A check that a word is one of those that `parse` takes, before any work is done.
template <class Parse>
CLI::Validator word_of(Parse parse) {
  return {[parse](const std::string& text) {
            parse(text);  // throws UsageError with the words
            return std::string();
          },
          ""};
}

}  // namespace xf::tool
