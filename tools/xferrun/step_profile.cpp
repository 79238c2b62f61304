#include "tools/xferrun/step_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xf::tool {

namespace {
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
  return all.dump();
}

}  // namespace xf::tool
