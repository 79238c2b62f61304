#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/failure.h"
#include "tools/xferrun/process.h"
#include "tools/xferrun/version.h"
#include "tools/xferrun/world.h"

namespace xf::tool {

namespace {

/// Where stderr cannot be written either, the exit code alone has to say it.
void report(const Failure& failure) {
  const std::string rank = is_writer() ? "" : fmt::format("rank {}: ", world().rank());
  const std::string text = "xferrun: error: " + rank + failure.what + "\nxferrun: " + failure.remedy + "\n";
  std::fputs(text.c_str(), stderr);
}

/// The commands whose work several ranks share.
void require_shared(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  if (world().size() == 1 || command == "fine-tune" || command == "evaluate" || command == "features") return;
  throw UsageError("xferrun " + command, fmt::format("was started as {} ranks", world().size()),
                   "start one process: fine-tune, evaluate and features can be shared out");
}

/// Of several ranks all stop together; when one has failed the others may be waiting for it.
int run(CLI::App& app, const std::vector<std::string>& arguments) {
  try {
    require_shared(arguments);
    run_command_line(app, arguments);
    return kDone;
  } catch (...) {
    const Failure failure = current_failure();
    const bool together = failure.code == kStopped;
    if (!is_writer() && together) return failure.code;
    // What all have failed at, the first is to say.
    if (!is_writer()) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    report(failure);
    if (!together) Membership::end_all(failure.code);
    return failure.code;
  }
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
    const Membership membership;
    return run(*make_parser(), {argv + 1, argv + argc});
  } catch (...) {  // no membership
    const Failure failure = current_failure();
    report(failure);
    return failure.code;
  }
}

}  // namespace xf::tool
