#include "engine/signal/triggers.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/core/error.h"
#include "tests/data/files.h"

namespace {

xf::TriggerList read(const std::string& text, const std::string& detector = "H1") {
  const xf::test::TemporaryFolder folder;
  return xf::read_triggers(xf::test::put(folder, "triggers.csv", text), detector);
}

}  // namespace

TEST_CASE("triggers are read from Omicron's columns and Gravity Spy's, in order of time") {
  CHECK(read("time,frequency,snr\n12.5,100,8\n10.25,20,9\n").gps == std::vector{10.25, 12.5});
  CHECK(read("event_time,ifo,time\n12.5,H1,1\n").gps == std::vector{12.5});
  CHECK(read("gps\n7\n").gps == std::vector{7.0});
}

TEST_CASE("triggers of other detectors are left out") {
  const std::string text = "event_time,ifo\n12,H1\n11,L1\n10,H1\n";
  CHECK(read(text).gps == std::vector{10.0, 12.0});
  CHECK(read(text).of_other_detectors == 1);
  CHECK(read(text, "unknown").gps.size() == 3);
  CHECK_THROWS_AS(read(text, "V1"), xf::DataError);
}

TEST_CASE("other columns, and times that are none or listed twice, are refused") {
  CHECK_THROWS_AS(read("peak,snr\n1,2\n"), xf::DataError);
  CHECK_THROWS_AS(read("time\n"), xf::DataError);
  CHECK_THROWS_AS(read(""), xf::DataError);
  CHECK_THROWS_AS(read("time\n10\n12\n10.0\n"), xf::DataError);
  for (const char* bad : {"", "x", "10s", "nan", "inf", "-4", "0"})
    CHECK_THROWS_AS(read(std::string("time,snr\n") + bad + ",1\n"), xf::DataError);
}
