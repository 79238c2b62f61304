#pragma once
// Work without an end of its own: a signal asks it to stop, and it finishes what it is at.

namespace xf::tool {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP (unless ignored, as under nohup) only sets a flag; a
/// second one ends the process as usual. One at a time.
class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();

  [[nodiscard]] bool requested() const;
  /// Becomes readable with the request: for poll().
  [[nodiscard]] int descriptor() const;
};

}  // namespace xf::tool
