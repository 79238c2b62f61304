// Fine-tuning behind the C API.

#include <CLI/CLI.hpp>
#include <chrono>
#include <limits>

#include "engine/core/error.h"
#include "engine/core/threads.h"
#include "tools/embed/guarded.h"
#include "tools/xferrun/command_line.h"
#include "tools/xferrun/config_file.h"
#include "tools/xferrun/fine_tune.h"
#include "tools/xferrun/json_file.h"

namespace {

constexpr const char* kSource = "options";

/// The parser of the command line takes them, so that names, checks and defaults are the program's.
xf::tool::FineTuneOptions parse(const char* json) {
  xf::tool::FineTuneOptions options;
  CLI::App app("", "xferrun");
  add_options(*app.add_subcommand("fine-tune"), options);
  const auto given = xf::tool::parse_json_object(
      json, kSource,
      R"(write one object of options: {"model": "resnet50", "data": "glitches", "out": "run"})");
  xf::tool::run_command_line(app, xf::tool::with_options(app, {"fine-tune"}, given, kSource));
  if (options.seeds > 0 || options.folds > 0)
    throw xf::UsageError(kSource, "ask for several trainings (seeds, leave-glitches-out)",
                         "train one at a time, or run xferrun fine-tune");
  return options;
}

xf_progress in_c(const xf::tool::TrainingProgress& p) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  return {p.epoch,
          p.epochs,
          p.images_done,
          p.images_total,
          p.loss,
          p.ended != nullptr ? 1 : 0,
          p.ended != nullptr ? p.ended->train_top1 : kUnknown,
          p.ended != nullptr ? p.ended->val_top1.value_or(kUnknown) : kUnknown};
}

}  // namespace

xf_status xf_fine_tune(const char* options, xf_watch watch, void* user, xf_error* error) {
  return xf::embed::guarded(error, [&] {
    xf::embed::require(options, "options");
    xf::tool::FineTuneOptions o = parse(options);
    const xf::ThreadsOfCaller own(std::exchange(o.device.threads, 0));
    o.saving.started = std::chrono::steady_clock::now();
    o.saving.go_on = "the same call with \"resume\": true goes on there";
    o.saving.host = [&](const xf::tool::TrainingProgress& progress) {
      const xf_progress now = in_c(progress);
      return watch == nullptr || watch(&now, user) == 0;
    };
    check_fine_tune(o);
    const xf::tool::TrainingRequest request = fine_tune_request(o);
    fine_tune(o, request, fine_tune_data(o, request), "");
  });
}
