#include "tools/xferrun/command.h"

#include <cerrno>
#include <cstdio>

#include "engine/io/atomic_file.h"
#include "tools/xferrun/json_config.h"

namespace xf::tool {

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  command->formatter(app.get_formatter());
  return *command;
}

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command
      .add_option("--device", options.device,
                  "auto (the CPU, until the CUDA module has every operation), cpu, cuda or cuda:I")
      ->capture_default_str();
  command.add_option("--precision", options.precision, "f32, tf32 (GPU), bf16 or f16 (GPU)")
      ->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; default: every core this process may use")
      ->check(CLI::Range(1, 1024));
  command.add_flag(
      "--deterministic", options.deterministic,
      "the same bits whatever the number of threads, more slowly (on the CPU, results never depend on\n"
      "anything but the seed at a fixed --threads)");
  command.add_flag("--allow-reference", options.allow_reference,
                   "accept slow reference implementations where the device has no other");
  command.add_option("--profile", options.profile,
                     "write when each kernel ran to this file, as a Chrome trace");
}

void add_config_option(CLI::App& command) {
  command.config_formatter(std::make_shared<JsonConfig>());
  command.set_config("--config", "", "a JSON file with any of these options; the command line wins");
}

void print_line(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fputc('\n', stdout) == EOF || std::fflush(stdout) != 0)
    throw io::write_failure("standard output", errno);
}

}  // namespace xf::tool
