#include "tools/xferrun/step_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xf::tool {

namespace {
constexpr double kMiB = 1024.0 * 1024.0;

double microseconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}
}  // namespace

void StepProfile::before(const PlanStep& /*step*/, const Node& /*node*/) { begun_ = Clock::now(); }

void StepProfile::after(const PlanStep& step, const Node& node) {
  const auto now = Clock::now();
  events_.push_back({node.name, fmt::format("{} {}", op_name(node.op), step.kernel->impl()),
                     microseconds(begun_ - first_), microseconds(now - begun_)});
}

std::string StepProfile::table() const {
  struct Row {
    double time = 0;
    int calls = 0;
  };
  std::map<std::string, Row> rows;
  double total = 0;
  for (const Event& e : events_) {
    rows[e.operation].time += e.duration;
    ++rows[e.operation].calls;
    total += e.duration;
  }
  std::vector<std::pair<std::string, Row>> sorted(rows.begin(), rows.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second.time > b.second.time; });
  std::string text;
  for (const auto& [operation, row] : sorted)
    text += fmt::format("{:>6.2f} % {:>10.1f} ms {:>6} calls  {}\n", 100 * row.time / total, row.time / 1e3,
                        row.calls, operation);
  return text;
}

std::string StepProfile::chrome_trace() const {
  nlohmann::ordered_json all{{"traceEvents", nlohmann::ordered_json::array()}};
  for (const Event& e : events_)
    all["traceEvents"].push_back({{"name", e.name},
                                  {"cat", e.operation},
                                  {"ph", "X"},
                                  {"ts", e.start},
                                  {"dur", e.duration},
                                  {"pid", 1},
                                  {"tid", 1}});
  const std::lock_guard lock(mutex_);
  for (const Exchange& e : exchanges_)
    all["traceEvents"].push_back({{"name", fmt::format("{:.1f} MiB", static_cast<double>(e.bytes) / kMiB)},
                                  {"cat", "exchange between ranks"},
                                  {"ph", "X"},
                                  {"ts", microseconds(e.begin - first_)},
                                  {"dur", microseconds(e.end - e.begin)},
                                  {"pid", 1},
                                  {"tid", 2}});
  return all.dump();
}

void StepProfile::exchanged(const Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  exchanges_.push_back(exchange);
}

std::string StepProfile::exchanges() const {
  const std::lock_guard lock(mutex_);
  if (exchanges_.empty()) return {};
  double seconds = 0, bytes = 0, waited = 0;
  for (const Exchange& e : exchanges_) {
    seconds += microseconds(e.end - e.begin) / 1e6;
    bytes += static_cast<double>(e.bytes);
  }
  for (const Event& e : events_)
    if (e.operation.starts_with("all_reduce_wait")) waited += e.duration / 1e6;
  return fmt::format(
      "all-reduce: {} exchanges of {:.1f} MiB in all took {:.2f} s, of which {:.2f} s were waited for: "
      "{:.0f} % hidden "
      "behind computation",
      exchanges_.size(), bytes / kMiB, seconds, waited, 100 * std::max(0.0, 1 - waited / seconds));
}

}  // namespace xf::tool
