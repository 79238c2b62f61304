#pragma once
// The subcommands: each adds itself to the parser, and runs when it was chosen.

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/xferrun/session.h"

namespace xf::tool {

void add_demo(CLI::App& app);
void add_fine_tune(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_compare(CLI::App& app);
void add_predict(CLI::App& app);
void add_features(CLI::App& app);
void add_paper(CLI::App& app);
void add_embed(CLI::App& app);
void add_plan(CLI::App& app);
void add_devices(CLI::App& app);
void add_data(CLI::App& app);
void add_qscan(CLI::App& app);
void add_simulate(CLI::App& app);
void add_cluster(CLI::App& app);
void add_similar(CLI::App& app);
void add_discover(CLI::App& app);
void add_report(CLI::App& app);
void add_weights(CLI::App& app);

/// A subcommand with its one-line description and an example shown by --help.
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example);

/// --device, --precision, --threads, --deterministic, --allow-reference.
void add_device_options(CLI::App& command, DeviceOptions& options);

/// --config FILE.json: its keys are long option names without dashes; the command line wins.
void add_config_option(CLI::App& command);

/// Prints `text` and a newline to stdout at once, so that a reader of a pipe sees each line as it comes. Of
/// several ranks the first one does.
/// Throws WriteError when stdout cannot be written.
void print_line(const std::string& text);

/// JSON for a file or a stream. Names of files may hold any bytes; what is no UTF-8 becomes U+FFFD.
template <class Json>
std::string json_text(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

/// The parser of the whole command line.
std::unique_ptr<CLI::App> make_parser();

/// Runs the program: parses, runs the chosen command, maps errors to exit codes.
int run_program(int argc, char** argv);

}  // namespace xf::tool
