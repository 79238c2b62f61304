#include <cstdio>
#include <string>

#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/failure.h"
#include "tools/xferrun/process.h"
#include "tools/xferrun/version.h"

namespace xf::tool {

namespace {

/// Where stderr cannot be written either, the exit code alone has to say it.
void report(const std::string& what, const std::string& remedy) {
  const std::string text = "xferrun: error: " + what + "\nxferrun: " + remedy + "\n";
  std::fputs(text.c_str(), stderr);
}

}  // namespace

std::unique_ptr<CLI::App> make_parser() {
  auto parser = std::make_unique<CLI::App>(
      "Deep transfer learning for gravitational-wave glitches: fine-tunes ImageNet networks on spectrograms.",
      "xferrun");
  CLI::App& app = *parser;
  app.footer(
      "Example:\n  xferrun demo\n\nExit codes: 0 done, 2 usage, 65 bad input data, 66 input missing, 69 "
      "device or\n"
      "library unavailable, 70 internal error, 71 does not fit in memory, 73 the output exists already,\n"
      "74 write failed, 75 stopped on a signal after saving, 76 training diverged.");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  add_demo(app);
  add_fine_tune(app);
  add_evaluate(app);
  add_compare(app);
  add_predict(app);
  add_features(app);
  add_paper(app);
  add_cluster(app);
  add_similar(app);
  add_discover(app);
  add_embed(app);
  add_report(app);
  add_plan(app);
  add_devices(app);
  add_data(app);
  add_qscan(app);
  add_simulate(app);
  add_weights(app);
  return parser;
}

int run_program(int argc, char** argv) {
  keep_standard_streams();
  handle_signals();
  try {
    run_command_line(*make_parser(), {argv + 1, argv + argc});
    return kDone;
  } catch (...) {
    const Failure failure = current_failure();
    report(failure.what, failure.remedy);
    return failure.code;
  }
}

}  // namespace xf::tool
