#pragma once
// How long something takes that is queued on a stream.

#include <algorithm>
#include <array>
#include <chrono>

#include "engine/run/backend.h"

namespace xf::bench {

/// Seconds of one run, over a few samples of many runs each.
struct Timing {
  double median = 0, min = 0, max = 0;
};

/// Repeats `once` for about `budget` seconds. A sample is as many runs as take a fifth of that, queued
/// without a wait between them, so that a device works on while the next run is launched. The first run,
/// which touches memory and may compile, does not count.
template <class Once>
Timing time_runs(Stream& stream, double budget, const Once& once) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kSamples = 5;
  const auto sample = [&](int runs) {
    const auto start = Clock::now();
    for (int i = 0; i < runs; ++i) once();
    stream.synchronize();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  sample(1);
  const double wanted = budget / kSamples;
  int runs = 1;
  for (double took = sample(runs); took < wanted; took = sample(runs))
    runs = static_cast<int>(runs * std::clamp(1.2 * wanted / took, 2.0, 10.0));
  std::array<double, kSamples> seconds{};
  for (double& s : seconds) s = sample(runs) / runs;
  std::sort(seconds.begin(), seconds.end());
  return {seconds[kSamples / 2], seconds.front(), seconds.back()};
}

}  // namespace xf::bench
