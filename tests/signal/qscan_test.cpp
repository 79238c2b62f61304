#include "engine/signal/qscan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/core/error.h"
#include "engine/core/rng.h"
#include "engine/signal/canvas.h"
#include "engine/signal/colormap.h"
#include "engine/signal/noise.h"
#include "tests/support/test_data.h"

namespace {

constexpr double kMiddle = 1000000040;

/// Coloured noise with a sine-Gaussian `offset` seconds from its middle.
xf::Strain strain_with_burst(double rate, double seconds, double offset, double frequency, double snr) {
  const auto samples = static_cast<size_t>(rate * seconds);
  xf::Rng rng(3);
  xf::Series white = xf::white_noise(rng, samples);
  xf::Canvas canvas(samples, rate);
  canvas.burst(offset, frequency, 8, 1, 0.3);
  canvas.finish(0, snr);
  for (size_t i = 0; i < samples; ++i) white[i] += canvas.series()[i];
  return {rate, {kMiddle - seconds / 2, kMiddle + seconds / 2}, xf::colour(white, rate), {}};
}

size_t at(int row, int column) {
  return 3 * (static_cast<size_t>(row) * xf::kPictureColumns + static_cast<size_t>(column));
}

/// The row of the picture that shows a frequency; the top one is 0.
int row_of(double frequency) {
  const double x = std::log(frequency / xf::kLowestHz) / std::log(xf::kHighestHz / xf::kLowestHz);
  return xf::kPictureRows - 1 - static_cast<int>(x * xf::kPictureRows);
}

}  // namespace

TEST_CASE("a block is 64 s around the trigger, and neighbours share it") {
  const xf::GpsSpan block = xf::block_around(1126259462.42);
  CHECK(block.begin == 1126259464 - 32);
  CHECK(block.seconds() == 64);
  CHECK(xf::block_around(1126259467).begin == block.begin);
  CHECK(xf::block_around(1126259469).begin == block.begin + 8);
}

TEST_CASE("a sine-Gaussian in strain is found at its time and frequency, and drawn there") {
  constexpr double kRate = 4096, kFrequency = 180;
  const xf::QScanner scanner(strain_with_burst(kRate, 32, 0.1, kFrequency, 30));
  const double gps = kMiddle;
  const xf::QScan scan = scanner.scan({&gps, 1}).front();
  CHECK(std::abs(scan.peak_gps - (kMiddle + 0.1)) < 1 / kFrequency);
  // A tile's bandwidth at the burst's own Q, 8 √2 in Chatterji's convention.
  CHECK(std::abs(scan.peak_hz / kFrequency - 1) < 1 / (8 * std::sqrt(2.0)));
  // As in the test of the Q transform: half the squared SNR, of which the mismatch may cost a fifth and the
  // window's shape a little. The burst has a noise of its own: the amplitude √(2E) is known to 1 of 30, the
  // median-mean spectrum and the rows' medians to a few per cent.
  CHECK(scan.peak_energy > 450 * 0.65);
  CHECK(scan.peak_energy < 450 * 1.2);
  const auto yellow = xf::viridis(1);
  for (size_t i = 0; i < scan.pictures.size(); ++i) {
    const xf::io::Image& picture = scan.pictures[i];
    REQUIRE(picture.width == xf::kPictureColumns);
    REQUIRE(picture.height == xf::kPictureRows);
    const double column = (0.5 + 0.1 / xf::kShownDurations[i].seconds) * xf::kPictureColumns;
    CHECK(picture.rgb[at(row_of(kFrequency), static_cast<int>(column))] == yellow[0]);
    CHECK(picture.rgb[at(row_of(kFrequency), static_cast<int>(column)) + 1] == yellow[1]);
  }
}

TEST_CASE("triggers that share a block are scanned as alone") {
  const xf::QScanner scanner(strain_with_burst(1024, 32, 0.1, 100, 30));
  const double both[] = {kMiddle, kMiddle + 1.5};
  const auto scans = scanner.scan(both);
  REQUIRE(scans.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    const xf::QScan alone = scanner.scan({&both[i], 1}).front();
    CHECK(alone.gps == scans[i].gps);
    CHECK(alone.peak_energy == scans[i].peak_energy);
    for (size_t p = 0; p < 4; ++p) CHECK(alone.pictures[p].rgb == scans[i].pictures[p].rgb);
  }
}

TEST_CASE("what a low rate and a short block cannot show is dark, and told") {
  xf::Strain strain = strain_with_burst(1024, 16, 0, 100, 30);
  strain.clipped = {"the file ends"};
  const xf::QScanner scanner(strain);
  REQUIRE(scanner.clipped().size() == 2);
  CHECK(scanner.clipped()[0].find("16 s instead of 64") != std::string::npos);
  CHECK(scanner.clipped()[1].find("above 512 Hz") != std::string::npos);
  const double gps = kMiddle;
  const xf::QScan scan = scanner.scan({&gps, 1}).front();
  const auto dark = xf::viridis(0);
  for (int column = 0; column < xf::kPictureColumns; ++column)
    for (int channel = 0; channel < 3; ++channel)
      CHECK(scan.pictures[1].rgb[at(row_of(600), column) + static_cast<size_t>(channel)] ==
            dark[static_cast<size_t>(channel)]);
  CHECK(std::abs(scan.peak_hz / 100 - 1) < 0.1);
}

TEST_CASE("strain without room, of a low rate or without change is refused") {
  const xf::Strain strain = strain_with_burst(512, 16, 0, 100, 30);
  CHECK_NOTHROW(xf::require_room(strain, kMiddle));
  CHECK_THROWS_AS(xf::require_room(strain, kMiddle + 6), xf::DataError);
  CHECK_THROWS_AS(xf::require_room(strain_with_burst(512, 7, 0, 100, 30), kMiddle), xf::DataError);
  CHECK_THROWS_AS(xf::QScanner(strain_with_burst(128, 16, 0, 20, 30)), xf::DataError);
  xf::Strain still = strain;
  std::fill(still.values.begin(), still.values.end(), 0);
  CHECK_THROWS_AS(xf::QScanner{still}, xf::DataError);
}

TEST_CASE("GW150914's chirp rises from 35 to 250 Hz at its time, in both detectors") {
  for (const char* name : {"H-H1_LOSC_4_V2-1126259446-32.hdf5", "L-L1_LOSC_4_V2-1126259446-32.hdf5"}) {
    const auto path = xf::test::data_path(std::string("strain/") + name);
    if (!path) return;
    CAPTURE(name);
    constexpr double kMerger = 1126259462.42;
    const xf::StrainFile file(*path);
    const xf::Strain strain = file.around(kMerger, xf::block_around(kMerger));
    xf::require_room(strain, kMerger);
    const xf::QScanner scanner(strain);
    const xf::QScan scan = scanner.scan({&kMerger, 1}).front();
    CHECK(std::abs(scan.peak_gps - kMerger) < 0.02);
    CHECK(scan.peak_energy > 25.5);
    CHECK(scanner.clipped().size() == 2);  // 32 s at 4096 Hz
    // The track: the brightest row of each column of the half-second picture, by the green of viridis, which
    // rises with the energy.
    const xf::io::Image& picture = scan.pictures[0];
    const auto loudest_hz = [&](double gps) {
      const int column = static_cast<int>((0.5 + (gps - kMerger) / 0.5) * xf::kPictureColumns);
      int best = 0;
      for (int row = 0; row < xf::kPictureRows; ++row)
        if (picture.rgb[at(row, column) + 1] > picture.rgb[at(best, column) + 1]) best = row;
      return xf::kLowestHz *
             std::pow(xf::kHighestHz / xf::kLowestHz, (xf::kPictureRows - best - 0.5) / xf::kPictureRows);
    };
    CAPTURE(loudest_hz(kMerger - 0.08));
    CAPTURE(loudest_hz(kMerger));
    CHECK(loudest_hz(kMerger - 0.08) < 70);
    CHECK(loudest_hz(kMerger) > 90);
  }
}
