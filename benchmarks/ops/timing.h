#pragma once
// How long something takes that is queued on a stream: Google Benchmark's timing, for rows of our own.

#include <functional>

#include "engine/run/backend.h"

namespace xf::bench {

/// Seconds of one run, over a few repetitions of many runs each.
struct Timing {
  double median = 0, min = 0, max = 0;
};

/// Repeats `once` for about `budget` seconds. The first run, which touches memory and may compile, does not
/// count.
Timing time_runs(Stream& stream, double budget, const std::function<void()>& once);

}  // namespace xf::bench
