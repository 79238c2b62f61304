#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/version.h"

namespace xf::tool {

namespace {

/// sysexits(3) where it has a code that fits.
enum ExitCode : int {
  kDone = 0,
  kUsage = 2,
  kBadData = 65,
  kNoInput = 66,
  kUnavailable = 69,
  kInternal = 70,
  kNoMemory = 71,
  kExists = 73,
  kWriteFailed = 74,
  kStopped = 75,
  kDiverged = 76,
};

int exit_code(const Error& e) {
  if (dynamic_cast<const UsageError*>(&e) != nullptr) return kUsage;
  if (dynamic_cast<const DataError*>(&e) != nullptr) return kBadData;
  if (dynamic_cast<const MissingInputError*>(&e) != nullptr) return kNoInput;
  if (dynamic_cast<const UnavailableError*>(&e) != nullptr) return kUnavailable;
  if (dynamic_cast<const MemoryError*>(&e) != nullptr) return kNoMemory;
  if (dynamic_cast<const OutputExistsError*>(&e) != nullptr) return kExists;
  if (dynamic_cast<const WriteError*>(&e) != nullptr) return kWriteFailed;
  if (dynamic_cast<const StoppedError*>(&e) != nullptr) return kStopped;
  if (dynamic_cast<const DivergedError*>(&e) != nullptr) return kDiverged;
  return kInternal;
}

void report(const std::string& what, const std::string& remedy) {
  fmt::print(stderr, "xferrun: error: {}\n", what);
  if (!remedy.empty()) fmt::print(stderr, "xferrun: {}\n", remedy);
}

}  // namespace

int run_program(int argc, char** argv) {
  // A closed pipe is a write error with a message, not a silent death.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app(
      "Deep transfer learning for gravitational-wave glitches: fine-tunes ImageNet networks on spectrograms.",
      "xferrun");
  app.footer(
      "Example:\n  xferrun demo\n\nExit codes: 0 done, 2 usage, 65 bad input data, 66 input missing, 69 "
      "device or\n"
      "library unavailable, 70 internal error, 71 does not fit in memory, 73 the output exists already,\n"
      "74 write failed, 75 stopped on a signal after saving, 76 training diverged.");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  add_fine_tune(app);
  add_evaluate(app);
  add_predict(app);
  add_features(app);
  add_plan(app);
  add_devices(app);
  add_data(app);
  try {
    app.parse(argc, argv);
    return kDone;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
      return app.exit(e);  // --help, --version
    report(e.what(), "see xferrun --help");
    return kUsage;
  } catch (const Error& e) {
    report(e.what(), e.remedy());
    return exit_code(e);
  } catch (const std::bad_alloc&) {
    report("memory: the system gave no more", "use a smaller --batch");
    return kNoMemory;
  } catch (const std::exception& e) {
    report(std::string("internal: ") + e.what(),
           "this is a defect of xferrun: please report it with the command line");
    return kInternal;
  }
}

}  // namespace xf::tool
