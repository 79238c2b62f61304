#include "engine/train/schedule.h"

#include <doctest/doctest.h>

#include "engine/core/error.h"

using xf::learning_rate_factor;
using xf::Schedule;
using xf::ScheduleKind;

TEST_CASE("schedules take the published values at their corners") {
  const Schedule constant;
  CHECK(learning_rate_factor(constant, 0, 10, 5) == 1);
  CHECK(learning_rate_factor(constant, 49, 10, 5) == 1);

  Schedule step{ScheduleKind::step, 0, 2, 0.1};
  CHECK(learning_rate_factor(step, 19, 10, 5) == 1);
  CHECK(learning_rate_factor(step, 20, 10, 5) == doctest::Approx(0.1));
  CHECK(learning_rate_factor(step, 40, 10, 5) == doctest::Approx(0.01));

  const Schedule cosine{ScheduleKind::cosine, 0, 30, 0.1};
  CHECK(learning_rate_factor(cosine, 0, 10, 5) == 1);
  CHECK(learning_rate_factor(cosine, 25, 10, 5) == doctest::Approx(0.5));
  CHECK(learning_rate_factor(cosine, 50, 10, 5) == doctest::Approx(0).epsilon(1e-12));
}

TEST_CASE("the warm-up rises linearly and meets the schedule") {
  const Schedule warm{ScheduleKind::cosine, 1, 30, 0.1};
  double last = 0;
  for (int update = 0; update < 10; ++update) {
    const double factor = learning_rate_factor(warm, update, 10, 5);
    CHECK(factor - last == doctest::Approx(1.0 / 11));
    last = factor;
  }
  CHECK(learning_rate_factor(warm, 10, 10, 5) == 1);
}

TEST_CASE("an unknown schedule is a usage error that lists the known ones") {
  CHECK(xf::parse_schedule("cosine") == ScheduleKind::cosine);
  CHECK_THROWS_AS(xf::parse_schedule("linear"), xf::UsageError);
}
