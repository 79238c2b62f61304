#include <algorithm>

#include "tests/fuzz/fuzz.h"
#include "tools/xferrun/config_file.h"
#include "tools/xferrun/fine_tune_options.h"

/// The parser takes the file's options or refuses them with an error of its own or ours; nothing runs.
void xf::fuzz::read(std::span<const uint8_t> input) {
  CLI::App app("fuzz", "xferrun");
  xf::tool::FineTuneOptions options;
  xf::tool::add_options(*app.add_subcommand("fine-tune", ""), options);
  xf::fuzz::read_or_refuse([&] {
    const std::string file = xf::fuzz::file_of("config.json", input).string();
    std::vector<std::string> arguments = xf::tool::with_config_file(app, {"fine-tune", "--config", file});
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError&) {
      return;
    }
    xf::tool::training_request(options);
    options.lr = options.lr.value_or(0.01);  // without them a network would be made, which takes long
    options.warmup = options.warmup.value_or(0);
    xf::tool::to_json(options);
  });
}
