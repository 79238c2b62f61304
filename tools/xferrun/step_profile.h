#pragma once
// Where the time of a step goes.

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/dist/comm.h"
#include "engine/run/executor.h"

namespace xf::tool {

/// Times every kernel. On devices that work asynchronously the times are those of launching.
class StepProfile : public StepObserver {
 public:
  void before(const PlanStep& step, const Node& node) override;
  void after(const PlanStep& step, const Node& node) override;
  /// Seconds and calls by operation and implementation, the longest first.
  [[nodiscard]] std::string table() const;
  /// All events as a Chrome trace (chrome://tracing, Perfetto).
  [[nodiscard]] std::string chrome_trace() const;
  /// Adds an exchange with other ranks; from any thread.
  void exchanged(const Exchange& exchange);
  /// How much of the exchanges went on behind computation, in words; empty where there were none.
  [[nodiscard]] std::string exchanges() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Event {
    std::string name, operation;
    double start, duration;  ///< microseconds since the first event
  };
  Clock::time_point first_ = Clock::now(), begun_;
  std::vector<Event> events_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<Exchange> exchanges_;
};

}  // namespace xf::tool
