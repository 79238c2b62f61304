#include "tools/xferrun/data_options.h"

#include "engine/core/error.h"
#include "tools/xferrun/command_line.h"

namespace xf::tool {

void add_view_option(CLI::App& command, std::string& view) {
  command
      .add_option("--view", view,
                  "what of a glitch's durations 0.5, 1.0, 2.0 and 4.0 s the network sees: single:T, merged "
                  "(2x2 in one\n"
                  "image), stack:T,T,T (as R, G, B) or all (each is an image; a glitch's probabilities are "
                  "their mean).\n"
                  "Without it images are taken as they are, but Gravity Spy's HDF5 layout merged")
      ->check(word_of(parse_view));
}

void add_view_options(CLI::App& command, ViewOptions& o) {
  add_view_option(command, o.view);
  command.add_option(
      "--metadata", o.metadata,
      "Gravity Spy's CSV (gravityspy_id, event_time, sample_type); NAME_metadata.csv beside the "
      "data is found");
}

OpenOptions open_options(const ViewOptions& o, OnBadImage on_bad_image) {
  OpenOptions options{.metadata = o.metadata, .on_bad_image = on_bad_image};
  if (!o.view.empty()) options.view = parse_view(o.view);
  return options;
}

std::string view_of_run(const ExistingRun& run, const std::string& option) {
  const auto it = run.config.find("view");
  std::string trained = it != run.config.end() && it->is_string() ? it->get<std::string>() : "";
  if (trained.empty()) return option;
  if (!option.empty() && parse_view(option) != parse_view(trained))
    throw UsageError("--view " + option, "is not what the run was trained on, " + trained,
                     "leave it out: the folder says it");
  return trained;
}

void check_view(const View& view, int channels) {
  if (view.kind == View::Kind::stack && channels != 3)
    throw UsageError("--view " + name(view), "needs a network of colour images, and this one's are grey",
                     "choose merged or single, or another --model");
}

}  // namespace xf::tool
