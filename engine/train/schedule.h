#pragma once
// The learning rate over a run.

#include <cstdint>
#include <string>
#include <string_view>

namespace xf {

enum class ScheduleKind : uint8_t { constant, step, cosine };
/// Parses "constant", "step", "cosine". Throws UsageError listing them.
ScheduleKind parse_schedule(std::string_view text);
std::string_view name(ScheduleKind kind);

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double warmup_epochs = 0;  ///< linear from 0 to the full rate
  int step_epochs = 30;      ///< step: the rate is multiplied by step_factor every so many epochs
  double step_factor = 0.1;
};

/// The factor on the learning rate at update `update` (from 0) of a run of `epochs` epochs with
/// `updates_per_epoch` updates each. cosine (Loshchilov & Hutter 2017, no restarts) falls from 1 after the
/// warm-up to 0 at the end of the run.
double learning_rate_factor(const Schedule& schedule, int64_t update, int64_t updates_per_epoch, int epochs);

}  // namespace xf
