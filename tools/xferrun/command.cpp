#include "tools/xferrun/command.h"

#include <cerrno>
#include <cstdio>

#include "engine/io/atomic_file.h"
#include "engine/plan/compile.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/device.h"
#include "tools/xferrun/world.h"

namespace xf::tool {

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description,
                      const std::string& example) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  command->formatter(app.get_formatter());
  return *command;
}

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "auto (the first GPU, else the CPU), cpu, cuda or cuda:I")
      ->check(word_of(parse_device))
      ->capture_default_str();
  command.add_option("--precision", options.precision, "f32, tf32 (GPU), bf16 or f16 (GPU)")
      ->check(word_of(parse_precision))
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
  // Read before anything is parsed (config_file.h); here it is one more option.
  command.add_option("--config", "a JSON file with any of these options; the command line wins")
      ->type_name("FILE")
      ->expected(1);
}

void print_line(const std::string& text) {
  if (!is_writer()) return;
  if (std::fputs(text.c_str(), stdout) < 0 || std::fputc('\n', stdout) == EOF || std::fflush(stdout) != 0)
    throw io::write_failure("standard output", errno);
}

}  // namespace xf::tool
