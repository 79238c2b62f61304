#pragma once
// predict --watch and --stdin: pictures classified as they come.

#include <optional>
#include <string>

#include "tools/xferrun/loaded_model.h"

namespace xf::tool {

struct StreamOptions {
  std::string folder;  ///< --watch; empty: standard input
  std::string state;   ///< --state; empty: none
};

/// Prints one JSON line a picture, or one with `error` for a file that is no picture, and notes it in the
/// state file. Waits where nobody reads the lines. Ends with the input, or, after the picture it is at, on a
/// signal: StoppedError where input is left to read, as there always is on standard input. Throws UsageError
/// for a view of several durations: their pictures come one by one.
void predict_stream(Session& session, const LoadedModel& model, const View& view,
                    const std::optional<OutOfClass>& reference, const StreamOptions& options);

}  // namespace xf::tool
