#include "tools/xferrun/command.h"
#include "tools/xferrun/weights_commands.h"

namespace xf::tool {

void add_weights(CLI::App& app) {
  CLI::App& command =
      add_command(app, "weights", "look at, compare, convert and fetch weight files",
                  "xferrun weights inspect vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5");
  command.require_subcommand(1);
  add_weights_inspect(command);
  add_weights_verify(command);
  add_weights_convert(command);
  add_weights_fetch(command);
}

}  // namespace xf::tool
