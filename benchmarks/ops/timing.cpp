#include "benchmarks/ops/timing.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "engine/core/error.h"

namespace xf::bench {
namespace {

constexpr int kRepetitions = 5;

/// Keeps each repetition's time of one run.
class Collector final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& r : runs)
      if (r.run_type == Run::RT_Iteration)
        seconds_.push_back(r.GetAdjustedRealTime() / benchmark::GetTimeUnitMultiplier(r.time_unit));
  }
  [[nodiscard]] std::vector<double> sorted() {
    std::sort(seconds_.begin(), seconds_.end());
    return seconds_;
  }

 private:
  std::vector<double> seconds_;
};

/// Runs that are queued between two waits, so that a device works on while the next one is launched: as many
/// as take about two milliseconds.
int64_t batch_of(Stream& stream, const std::function<void()>& once) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  once();
  stream.synchronize();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  return std::clamp<int64_t>(static_cast<int64_t>(2e-3 / std::max(took, 1e-9)), 1, 256);
}

}  // namespace

Timing time_runs(Stream& stream, double budget, const std::function<void()>& once) {
  once();
  stream.synchronize();
  const int64_t batch = batch_of(stream, once);
  benchmark::RegisterBenchmark("runs",
                               [&](benchmark::State& state) {
                                 while (state.KeepRunningBatch(batch)) {
                                   for (int64_t i = 0; i < batch; ++i) once();
                                   stream.synchronize();
                                 }
                               })
      ->UseRealTime()
      ->MinTime(budget / kRepetitions)
      ->Repetitions(kRepetitions);
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector, "runs");
  benchmark::ClearRegisteredBenchmarks();
  const std::vector<double> seconds = collector.sorted();
  if (seconds.empty()) throw InternalError("bench-ops", "Google Benchmark reported no run");
  return {seconds[seconds.size() / 2], seconds.front(), seconds.back()};
}

}  // namespace xf::bench
