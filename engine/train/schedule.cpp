#include "engine/train/schedule.h"

#include <cmath>
#include <numbers>

#include "engine/core/error.h"

namespace xf {

ScheduleKind parse_schedule(std::string_view text) {
  for (const ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine})
    if (text == name(kind)) return kind;
  throw UsageError("--schedule " + std::string(text), "is not a schedule",
                   "choose one of: constant, step, cosine");
}

std::string_view name(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant: return "constant";
    case ScheduleKind::step: return "step";
    case ScheduleKind::cosine: return "cosine";
  }
  return "?";
}

double learning_rate_factor(const Schedule& schedule, int64_t update, int64_t updates_per_epoch, int epochs) {
  const auto per_epoch = static_cast<double>(updates_per_epoch);
  const double warmup = schedule.warmup_epochs * per_epoch, total = per_epoch * epochs;
  const auto done = static_cast<double>(update);
  if (done < warmup) return (done + 1) / (warmup + 1);
  switch (schedule.kind) {
    case ScheduleKind::constant: return 1;
    case ScheduleKind::step:
      return std::pow(schedule.step_factor, std::floor(done / per_epoch / schedule.step_epochs));
    case ScheduleKind::cosine: {
      const double part = total > warmup ? (done - warmup) / (total - warmup) : 1;
      return 0.5 * (1 + std::cos(std::numbers::pi * std::fmin(part, 1)));
    }
  }
  return 1;
}

}  // namespace xf
