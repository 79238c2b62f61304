#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/error.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/exit_code.h"
#include "tools/xferrun/process.h"
#include "tools/xferrun/version.h"
#include "tools/xferrun/world.h"

namespace xf::tool {

namespace {

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

/// What to do where the error does not say it.
std::string usual_remedy(int code) {
  switch (code) {
    case kUsage: return "see xferrun --help";
    case kBadData: return "correct it, or name another";
    case kNoInput: return "name one that is there and that you may read";
    case kUnavailable: return "use --device cpu";
    case kNoMemory: return "use a smaller --batch";
    case kExists:
    case kWriteFailed: return "name another place";
    default: return "this is a defect of xferrun: please report it with the command line";
  }
}

/// Where stderr cannot be written either, the exit code alone has to say it.
void report(const std::string& what, const std::string& remedy) {
  const std::string rank = is_writer() ? "" : fmt::format("rank {}: ", world().rank());
  const std::string text = "xferrun: error: " + rank + what + "\nxferrun: " + remedy + "\n";
  std::fputs(text.c_str(), stderr);
}

/// Of several ranks, one has failed and the others wait for it, or all have. Then the first one is to say so.
int failed(int code, const std::string& what, const std::string& remedy) {
  if (!is_writer()) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  report(what, remedy);
  Membership::end_all(code);
  return code;
}

/// The commands whose work several ranks share.
void require_shared(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  if (world().size() == 1 || command == "fine-tune" || command == "evaluate" || command == "features") return;
  throw UsageError("xferrun " + command, fmt::format("was started as {} ranks", world().size()),
                   "start one process: fine-tune, evaluate and features can be shared out");
}

int run(CLI::App& app, const std::vector<std::string>& arguments) {
  try {
    const Membership membership;
    try {
      require_shared(arguments);
      run_command_line(app, arguments);
      return kDone;
    } catch (const StoppedError& e) {  // on all ranks
      if (is_writer()) report(e.what(), e.remedy());
      return kStopped;
    } catch (const Error& e) {
      const int code = exit_code(e);
      return failed(code, e.what(), e.remedy().empty() ? usual_remedy(code) : e.remedy());
    } catch (const std::bad_alloc&) {
      return failed(kNoMemory, "memory: the system gave no more", usual_remedy(kNoMemory));
    } catch (const std::filesystem::filesystem_error& e) {
      return failed(kNoInput, e.path1().string() + ": " + e.code().message(),
                    "check the path and who may use it");
    } catch (const std::exception& e) {
      return failed(kInternal, std::string("internal: ") + e.what(), usual_remedy(kInternal));
    }
  } catch (const UnavailableError& e) {  // no membership
    report(e.what(), e.remedy());
    return kUnavailable;
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  keep_standard_streams();
  handle_signals();
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
  return run(app, {argv + 1, argv + argc});
}

}  // namespace xf::tool
