#include "engine/core/log.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

TEST_CASE("log lines go to the sink that is set, as they are") {
  using xf::log::Level;
  std::vector<std::pair<Level, std::string>> lines;
  xf::log::set_sink([&](Level level, std::string_view text) { lines.emplace_back(level, text); });
  xf::log::info("{} of {}", 1, 2);
  xf::log::warning("{{}} stays");
  xf::log::set_sink({});
  CHECK(lines ==
        std::vector<std::pair<Level, std::string>>{{Level::info, "1 of 2"}, {Level::warning, "{} stays"}});
}
