#include "tools/xferrun/command.h"
#include "tools/xferrun/data_commands.h"

namespace xf::tool {

void add_data(CLI::App& app) {
  CLI::App& command = add_command(app, "data", "look at a data set, split it, fetch the public one",
                                  "xferrun data scan glitches/");
  command.require_subcommand(1);
  add_data_inspect(command);
  add_data_scan(command);
  add_data_split(command);
  add_data_fetch(command);
}

}  // namespace xf::tool
