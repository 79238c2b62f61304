#include "engine/signal/spectrogram.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "engine/core/error.h"
#include "engine/signal/colormap.h"

TEST_CASE("viridis runs from violet to yellow and clamps") {
  using Colour = std::array<uint8_t, 3>;
  CHECK(xf::viridis(0) == Colour{68, 1, 84});
  CHECK(xf::viridis(1) == Colour{253, 231, 37});
  CHECK(xf::viridis(128.5 / 256) == Colour{33, 145, 140});  // matplotlib's entry 128
  CHECK(xf::viridis(-1) == xf::viridis(0));
  CHECK(xf::viridis(7) == xf::viridis(1));
  CHECK(xf::viridis(std::numeric_limits<double>::quiet_NaN()) == xf::viridis(0));
}

TEST_CASE("a picture has low frequencies at the bottom and merges clipped columns") {
  const xf::EnergyMap map{2, 4, 8, {0, 0, 1000, 0, 25.5F, 25.5F, 0, 0}};
  const xf::io::Image image = xf::draw_spectrogram(map, 2);
  REQUIRE(image.width == 2);
  REQUIRE(image.height == 2);
  REQUIRE(image.rgb.size() == 12);
  const auto pixel = [&](size_t i) {
    return std::array{image.rgb[3 * i], image.rgb[3 * i + 1], image.rgb[3 * i + 2]};
  };
  CHECK(pixel(0) == xf::viridis(1));  // the upper row is the map's last
  CHECK(pixel(1) == xf::viridis(0));
  CHECK(pixel(2) == xf::viridis(0));
  CHECK(pixel(3) == xf::viridis(0.5));  // 1000 counts as 25.5
  CHECK_THROWS_AS(xf::draw_spectrogram(map, 3), xf::InternalError);
}
