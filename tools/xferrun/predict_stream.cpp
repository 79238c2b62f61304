#include "tools/xferrun/predict_stream.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "engine/core/error.h"
#include "engine/core/log.h"
#include "tools/xferrun/classifier.h"
#include "tools/xferrun/command.h"
#include "tools/xferrun/done_list.h"
#include "tools/xferrun/folder_watch.h"
#include "tools/xferrun/line_source.h"
#include "tools/xferrun/stop_signal.h"

namespace xf::tool {

namespace {

std::string line_of(const std::string& path, const View& view, Classifier& classifier,
                    const LoadedModel& model, const std::optional<OutOfClass>& reference) {
  try {
    return json_text(prediction_json(path, classifier.classify(read_picture(path, view)), model, reference));
  } catch (const DataError& e) {
    return json_text(nlohmann::ordered_json{{"path", path}, {"error", e.what()}});
  } catch (const MissingInputError& e) {
    return json_text(nlohmann::ordered_json{{"path", path}, {"error", e.what()}});
  }
}

}  // namespace

void predict_stream(Session& session, const LoadedModel& model, const View& view,
                    const std::optional<OutOfClass>& reference, const StreamOptions& o) {
  if (view.needed().size() > 1)
    throw UsageError("predict",
                     "a stream has one picture at a time, and the view " + name(view) + " wants several",
                     "name all images of a glitch, or use --strain");
  const StopSignal stop;
  const bool watches = !o.folder.empty(), keeps_state = !o.state.empty();
  const auto done = keeps_state ? std::make_unique<DoneList>(o.state) : std::make_unique<DoneList>();
  std::unique_ptr<PathSource> source;
  if (watches) {
    source = std::make_unique<FolderWatch>(o.folder, *done, stop);
    log::info("watching {}; a signal ends it", o.folder);
  } else {
    source = std::make_unique<LineSource>(stop);
  }
  Classifier classifier(session, model);
  while (const auto path = source->next()) {
    const auto version = version_of(*path);
    if (!version && watches) continue;  // it is gone again
    if (version && done->has(*path, *version)) continue;
    print_line(line_of(*path, view, classifier, model, reference));
    if (version && (watches || keeps_state)) done->add(*path, *version);
  }
  if (stop.requested() && !watches)
    throw StoppedError(
        "standard input", "a signal came before its end",
        keeps_state ? "Give the same paths again to go on." : "Use --state to go on where it stopped.");
}

}  // namespace xf::tool
