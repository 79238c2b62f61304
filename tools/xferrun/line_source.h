#pragma once
// Paths on standard input, a line each.

#include "tools/xferrun/path_source.h"
#include "tools/xferrun/stop_signal.h"

namespace xf::tool {

class LineSource : public PathSource {
 public:
  explicit LineSource(const StopSignal& stop) : stop_(stop) {}
  /// Empty lines are passed over. Throws DataError for a line longer than a path can be.
  std::optional<std::string> next() override;

 private:
  /// False at the end of the input, or when a stop was requested.
  bool read_more();

  const StopSignal& stop_;
  std::string text_;
  bool ended_ = false;
};

}  // namespace xf::tool
