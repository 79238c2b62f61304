#pragma once
// Work that a signal asks to stop: it finishes what it is at.

namespace xf::tool {

/// While it lives, the first SIGINT, SIGTERM, SIGHUP, SIGUSR1 or SIGUSR2 (unless ignored, as under nohup)
/// only sets a flag; a second one ends the process. One at a time.
class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();

  [[nodiscard]] bool requested() const;
  /// Becomes readable with the request: for poll().
  [[nodiscard]] int descriptor() const;

  /// While this one lives there is nothing to finish: a signal, also one that has come, prints `message` and
  /// ends the process with an exit code at once.
  class AtOnce {
   public:
    /// `message` outlives it.
    AtOnce(int exit_code, const char* message);
    AtOnce(const AtOnce&) = delete;
    AtOnce& operator=(const AtOnce&) = delete;
    ~AtOnce();
  };
};

}  // namespace xf::tool
